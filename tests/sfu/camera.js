// Runs in the gateway's own page, before its scripts: a film in the place of the camera, because
// Firefox's fake one shows nobody. `films` is put in as the argument.

films => {
    if (!navigator.mediaDevices) return; // the empty page that a window begins with
    let running = "empty";
    window.filmRuns = name => { running = name; };
    const pictures = async encoded => Promise.all(encoded.map(each => {
        const bytes = Uint8Array.from(atob(each), letter => letter.charCodeAt(0));
        return createImageBitmap(new Blob([bytes], {type: "image/jpeg"}));
    }));
    navigator.mediaDevices.getUserMedia = async () => {
        const reels = {};
        for (const [name, encoded] of Object.entries(films)) reels[name] = await pictures(encoded);
        const canvas = document.createElement("canvas");
        canvas.width = reels.empty[0].width;
        canvas.height = reels.empty[0].height;
        const context = canvas.getContext("2d", {alpha: false});
        let count = 0;
        const draw = () => context.drawImage(reels[running][count++ % reels[running].length], 0, 0);
        draw();
        setInterval(draw, 1000 / 15);
        return canvas.captureStream(15);
    };
}
