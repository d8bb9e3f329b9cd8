// A small SFU of Pion's parts: POST /whip/{name} publishes a video, POST /whep/{name} watches it.
package main

import (
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc"
)

var (
	mutex    sync.Mutex
	streams  = map[string]*webrtc.TrackLocalStaticRTP{}
	sessions = map[string]*webrtc.PeerConnection{}
)

func publish(peer *webrtc.PeerConnection, name string) bool {
	peer.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		local, err := webrtc.NewTrackLocalStaticRTP(remote.Codec().RTPCodecCapability, "video", name)
		if err != nil {
			return
		}
		mutex.Lock()
		streams[name] = local
		mutex.Unlock()
		go func() { // A key frame for viewers who come late.
			for {
				pli := &rtcp.PictureLossIndication{MediaSSRC: uint32(remote.SSRC())}
				if peer.WriteRTCP([]rtcp.Packet{pli}) != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		for {
			packet, _, err := remote.ReadRTP()
			if err != nil {
				break
			}
			_ = local.WriteRTP(packet)
		}
		mutex.Lock()
		if streams[name] == local {
			delete(streams, name)
		}
		mutex.Unlock()
	})
	_, err := peer.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	return err == nil
}

func watch(peer *webrtc.PeerConnection, name string) bool {
	mutex.Lock()
	local := streams[name]
	mutex.Unlock()
	if local == nil {
		return false
	}
	sender, err := peer.AddTrack(local)
	if err != nil {
		return false
	}
	go func() {
		for buffer := make([]byte, 1500); ; {
			if _, _, err := sender.Read(buffer); err != nil {
				return
			}
		}
	}()
	return true
}

func endpoint(prefix string, attach func(*webrtc.PeerConnection, string) bool) {
	http.HandleFunc(prefix, func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(strings.TrimPrefix(r.URL.Path, prefix), "/")
		if r.Method == http.MethodDelete && len(parts) == 2 {
			mutex.Lock()
			peer := sessions[parts[1]]
			delete(sessions, parts[1])
			mutex.Unlock()
			if peer == nil {
				http.Error(w, "no such session", http.StatusNotFound)
				return
			}
			_ = peer.Close()
			return
		}
		if r.Method != http.MethodPost || len(parts) != 1 {
			http.Error(w, "POST an offer", http.StatusMethodNotAllowed)
			return
		}
		offer, _ := io.ReadAll(r.Body)
		peer, err := webrtc.NewPeerConnection(webrtc.Configuration{})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if !attach(peer, parts[0]) {
			_ = peer.Close()
			w.Header().Set("Retry-After", "1")
			http.Error(w, "nobody publishes", http.StatusConflict)
			return
		}
		description := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)}
		gathered := webrtc.GatheringCompletePromise(peer)
		if err = peer.SetRemoteDescription(description); err == nil {
			if description, err = peer.CreateAnswer(nil); err == nil {
				err = peer.SetLocalDescription(description)
			}
		}
		if err != nil {
			_ = peer.Close()
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		<-gathered
		id := strconv.FormatInt(time.Now().UnixNano(), 36)
		mutex.Lock()
		sessions[id] = peer
		mutex.Unlock()
		w.Header().Set("Content-Type", "application/sdp")
		w.Header().Set("Location", prefix+parts[0]+"/"+id)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, peer.LocalDescription().SDP)
	})
}

func main() {
	endpoint("/whip/", publish)
	endpoint("/whep/", watch)
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {})
	log.Fatal(http.ListenAndServe("127.0.0.1:8090", nil))
}
