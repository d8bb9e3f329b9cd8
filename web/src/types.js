/**
 * The shapes that travel through the page: what the gateway says, and the page's one state.
 * Types only; this file has no code.
 */

/**
 * @typedef {{kind: "picture", id: string}} PictureChoice
 * @typedef {{kind: "colour", rgb: string}} ColourChoice
 * @typedef {{kind: "blur", radius: number}} BlurChoice
 * @typedef {{kind: "transparent"}} TransparentChoice
 * @typedef {PictureChoice | ColourChoice | BlurChoice | TransparentChoice} Backdrop
 */

/**
 * @typedef {"none" | "collecting" | "ready"} PlateState
 * @typedef {"none" | "good" | "drifting" | "invalid"} Validity
 * @typedef {object} PlateReport
 * @property {number} width
 * @property {number} height
 * @property {number} shots
 * @property {number} noise mean sigma, 0..1
 * @property {number} brightness 0..1
 * @property {number} sharpness
 * @property {number} motion share of pixels that moved
 */

/**
 * @typedef {object} Welcome
 * @property {"welcome"} type
 * @property {string} stream
 * @property {string} version
 * @property {string} device
 * @property {string} device_name
 * @property {string} backend
 * @property {string} weights
 *
 * @typedef {object} Stats
 * @property {"stats"} type
 * @property {number} fps_in
 * @property {number} fps_out
 * @property {number} dropped
 * @property {number} width
 * @property {number} height
 * @property {Record<string, number>} ms per stage
 * @property {number} latency_ms
 * @property {{state: PlateState, validity: Validity, drift: number}} plate
 * @property {{level: number, levels: number, base_scale: number, refine_pixels: number,
 *   looked: number, width: number, height: number} | null} quality
 * @property {number} frames_in
 * @property {number} frames_out
 *
 * @typedef {{type: "plate", state: PlateState, report: PlateReport | null}} PlateEvent
 * @typedef {{type: "backdrop", backdrop: Backdrop}} BackdropEvent
 * @typedef {{type: "live", live: boolean}} Presence
 * @typedef {{type: "notice", level: Level, text: string}} Notice
 * @typedef {{type: "ended", reason: string}} Ended
 * @typedef {Welcome | Stats | PlateEvent | BackdropEvent | Presence | Notice | Ended} GatewayEvent
 */

/**
 * @typedef {object} Capabilities
 * @property {string} version
 * @property {string} device
 * @property {string} device_name
 * @property {string} backend
 * @property {string} weights
 * @property {{width: number, height: number, fps: number}} recommended
 * @property {RTCIceServer[]} ice_servers
 *
 * @typedef {object} Picture one backdrop picture
 * @property {string} id
 * @property {string} title
 * @property {string} url
 * @property {string} thumbnail
 * @property {boolean} built_in
 */

/**
 * @typedef {{id: string, label: string}} Device
 * @typedef {{width: number, height: number}} Mode
 * @typedef {object} OpenCamera
 * @property {string} deviceId
 * @property {string} label
 * @property {number} width
 * @property {number} height
 * @property {number} frameRate
 * @property {number} maxWidth
 * @property {number} maxHeight
 * @property {number} maxFrameRate
 */

/**
 * @typedef {object} Network what the browser measured over the last second
 * @property {number} sentFps
 * @property {number} receivedFps
 * @property {number} sentKbps
 * @property {number} receivedKbps
 * @property {number} sentWidth
 * @property {number} sentHeight
 * @property {number | null} rttMs
 * @property {number | null} bufferMs mean wait in the jitter buffer
 * @property {string} limitation "none", "cpu", "bandwidth", "other"
 */

/**
 * @typedef {"info" | "success" | "warning" | "error"} Level
 * @typedef {"off" | "starting" | "live" | "lost"} Phase
 * @typedef {"inset" | "beside" | "composite"} Layout
 * @typedef {{level: Level, text: string, reason?: string, sticky?: boolean, action?: Command}} Message
 * @typedef {{label: string, name: "retry" | "capture" | "start" | "reload"}} Command
 * @typedef {{kind: "countdown", left: number} | {kind: "collecting"}} CaptureStep
 */

/**
 * @typedef {object} Plate
 * @property {PlateState} state
 * @property {Validity} validity
 * @property {number} drift
 * @property {PlateReport | null} report
 * @property {string | null} picture object URL of the captured plate
 * @property {string | null} refusal why the last capture was refused, in words
 */

/**
 * @typedef {object} Preferences
 * @property {boolean} mirrored
 * @property {Layout} layout
 * @property {boolean} statistics
 * @property {number} countdown seconds
 */

/**
 * @typedef {object} State
 * @property {Phase} phase
 * @property {string | null} stream
 * @property {number | null} retryAt when the next attempt is due, in ms of `Date.now()`
 * @property {Welcome | null} engine
 * @property {Capabilities | null} capabilities
 * @property {readonly Device[]} cameras
 * @property {readonly Device[]} microphones
 * @property {OpenCamera | null} camera
 * @property {string} cameraId wanted; "" is the browser's choice
 * @property {string} microphoneId wanted; "" is none
 * @property {boolean} muted
 * @property {Mode | null} mode wanted
 * @property {number | null} frameRate wanted
 * @property {Plate} plate
 * @property {CaptureStep | null} capture
 * @property {Backdrop} backdrop
 * @property {boolean} chosen whether somebody chose the backdrop, or it is the first one
 * @property {readonly Picture[]} pictures
 * @property {number} blurRadius
 * @property {string} colour
 * @property {Stats | null} stats
 * @property {Network | null} network
 * @property {boolean} comparing
 * @property {Preferences} preferences
 * @property {Message | null} message
 */

export {};
