package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// kubelet plays what nodes answer about the pods of one apiServer: logs that
// go on, commands, statistics.
type kubelet struct {
	t    *testing.T
	mu   sync.Mutex
	logs map[string]*life // of each pod, the present one
	news chan struct{}
	// command plays what exec and attach reach.
	command func(k *wire) int
	summary string
}

// life is one of a container: its lines, with their times, until it is over.
type life struct {
	lines []string
	over  bool
}

func newKubelet(s *simulation) *kubelet {
	k := &kubelet{t: s.t, logs: map[string]*life{}, news: make(chan struct{})}
	s.set(func(a *apiServer) { a.special = k.answer })
	s.t.Cleanup(func() { noneLeft(s.t) })
	return k
}

// noneLeft waits until no goroutine of a stream is left, but for the library's
// timer, which looks every five seconds whether it is still wanted.
func noneLeft(t *testing.T) {
	assert.Eventually(t, func() bool {
		var stacks bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		for _, name := range []string{"kube.(*follower)", "kube.(*view", "kube.(*Cluster)", "kube.nudged", "remotecommand.(*stream", "remotecommand.watchErrorStream"} {
			if strings.Contains(stacks.String(), name) {
				return false
			}
		}
		return true
	}, 10*time.Second, time.Millisecond, "a stream has left something behind")
}

// say adds a line, with its time, to the log of a pod.
func (k *kubelet) say(pod string, at time.Time, text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.life(pod)
	l.lines = append(l.lines, at.UTC().Format(time.RFC3339Nano)+" "+text)
	k.tell()
}

// end lets no more lines come of a pod's present life.
func (k *kubelet) end(pod string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.life(pod).over = true
	k.tell()
}

// restart begins another life of a pod's container.
func (k *kubelet) restart(pod string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.life(pod).over = true
	k.logs[pod] = &life{}
	k.tell()
}

func (k *kubelet) life(pod string) *life {
	if k.logs[pod] == nil {
		k.logs[pod] = &life{}
	}
	return k.logs[pod]
}

func (k *kubelet) tell() {
	close(k.news)
	k.news = make(chan struct{})
}

func (k *kubelet) answer(w http.ResponseWriter, r *http.Request) bool {
	collection, last := split(r.URL.Path)
	pod := collection[strings.LastIndex(collection, "/")+1:]
	switch {
	case last == "log":
		k.log(w, r, pod)
	case last == "exec" || last == "attach":
		k.talk(w, r)
	case strings.HasSuffix(r.URL.Path, "/proxy/stats/summary"):
		_, _ = io.WriteString(w, k.summary)
	default:
		return false
	}
	return true
}

func (k *kubelet) log(w http.ResponseWriter, r *http.Request, pod string) {
	q := r.URL.Query()
	since, _ := time.Parse(time.RFC3339, q.Get("sinceTime"))
	w.WriteHeader(http.StatusOK)
	k.mu.Lock()
	mine := k.life(pod)
	k.mu.Unlock()
	for told := 0; ; {
		k.mu.Lock()
		lines, over, news := mine.lines, mine.over, k.news
		k.mu.Unlock()
		if n := 0; told == 0 && q.Get("tailLines") != "" {
			_, _ = fmt.Sscan(q.Get("tailLines"), &n)
			told = max(0, len(lines)-n)
		}
		for ; told < len(lines); told++ {
			stamp, text, _ := strings.Cut(lines[told], " ")
			if at, _ := time.Parse(time.RFC3339Nano, stamp); at.Before(since) {
				continue
			}
			if q.Get("timestamps") == "true" {
				text = stamp + " " + text
			}
			_, _ = io.WriteString(w, text+"\n")
		}
		w.(http.Flusher).Flush()
		if q.Get("follow") != "true" || over {
			return
		}
		select {
		case <-news:
		case <-r.Context().Done():
			return
		}
	}
}

// wire is one connection to a command.
type wire struct {
	conn  *websocket.Conn
	query map[string][]string
	input chan string // closed at the end of the input
	sizes chan string
}

func (w *wire) say(channel byte, text string) {
	_ = w.conn.WriteMessage(websocket.BinaryMessage, append([]byte{channel}, text...))
}

// talk speaks version 5 of the protocol of the API server.
func (k *kubelet) talk(rw http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{Subprotocols: []string{"v5.channel.k8s.io"}}
	conn, err := up.Upgrade(rw, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	w := &wire{conn: conn, query: r.URL.Query(), input: make(chan string, 100), sizes: make(chan string, 100)}
	go func() {
		open := true
		for {
			_, data, err := conn.ReadMessage()
			switch {
			case err != nil || data[0] == 255:
				if open {
					close(w.input)
				}
				if open = false; err != nil {
					return
				}
			case data[0] == 0:
				w.input <- string(data[1:])
			case data[0] == 4:
				w.sizes <- string(data[1:])
			}
		}
	}()
	code := k.command(w)
	status := object{"status": "Success"}
	if code > 0 {
		status = object{"status": "Failure", "reason": "NonZeroExitCode",
			"details": object{"causes": []object{{"reason": "ExitCode", "message": fmt.Sprint(code)}}}}
	}
	if code < 0 {
		status = object{"status": "Failure", "reason": "InternalError", "message": "executable file not found in $PATH"}
	}
	raw, _ := json.Marshal(status)
	w.say(3, string(raw))
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(time.Second))
}

func (s *simulation) podRunning(name, ptype string, change func(*corev1.Pod)) {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			UID:    types.UID("uid-" + name),
			Labels: map[string]string{labelApp: "hello", labelHeritage: heritage, labelType: ptype, labelVersion: "v2"},
		},
		Spec: corev1.PodSpec{NodeName: "one", Containers: []corev1.Container{{Name: "main"}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{
			Name: "main", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
		}}},
	}
	if change != nil {
		change(p)
	}
	s.swap(helloPods+"/"+name, p)
}

// swap is put, of an object that has nothing in common with what was there but
// who it is.
func (s *simulation) swap(path string, obj any) {
	s.set(func(a *apiServer) {
		if rec := a.records[path]; rec != nil {
			meta := rec.server["metadata"].(object)
			rec.server = object{"metadata": object{"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}}
		}
	})
	s.put(path, obj)
}
