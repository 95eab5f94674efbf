package drycc

import (
	"net/http"

	"github.com/slipway-paas/slipway/platform"
)

func (h *Handler) listPtypes(r *request) (answer, error) {
	list, err := h.core.Ptypes(r.Context(), r.who, r.params["app"])
	return listed(list, toPtype), err
}

func (h *Handler) describePtype(r *request) (answer, error) {
	list, err := h.core.DescribePtype(r.Context(), r.who, r.params["app"], r.params["ptype"])
	return listed(list, toPtypeContainer), err
}

func (h *Handler) describePod(r *request) (answer, error) {
	list, err := h.core.DescribePod(r.Context(), r.who, r.params["app"], r.params["pod"])
	return listed(list, toPodContainer), err
}

func (h *Handler) listClusterEvents(r *request) (answer, error) {
	q := r.URL.Query()
	list, err := h.core.Events(r.Context(), r.who, r.params["app"], q.Get("pod_name"), q.Get("ptype"))
	return listed(list, toClusterEvent), err
}

// cleanRequest names the process types to remove.
type cleanRequest struct {
	Ptypes string `json:"ptypes"`
}

func (h *Handler) cleanPtypes(r *request) (answer, error) {
	body, err := decode[cleanRequest](r)
	if err != nil {
		return answer{}, err
	}
	err = h.core.CleanPtypes(r.Context(), r.who, r.params["app"], split(body.Ptypes))
	return answer{status: http.StatusNoContent}, err
}

// deletePodsRequest names the pods to end.
type deletePodsRequest struct {
	PodIDs string `json:"pod_ids"`
}

func (h *Handler) deletePods(r *request) (answer, error) {
	body, err := decode[deletePodsRequest](r)
	if err != nil {
		return answer{}, err
	}
	err = h.core.DeletePods(r.Context(), r.who, r.params["app"], split(body.PodIDs))
	return answer{status: http.StatusOK}, err
}

func (h *Handler) listPodsOf(r *request) (answer, error) {
	pods, err := h.core.PodsOf(r.Context(), r.who, r.params["app"], r.params["type"])
	return listed(pods, toPod), err
}

// restartPods is the guide's restart. A single name is that of a process type
// or of a pod.
func (h *Handler) restartPods(r *request) (answer, error) {
	if _, err := decode[struct{}](r); err != nil {
		return answer{}, err
	}
	ptype, name := r.params["type"], r.params["name"]
	if name == "" {
		ptype, name = "", ptype
	}
	pods, err := h.core.RestartPods(r.Context(), r.who, r.params["app"], ptype, name)
	return answer{http.StatusOK, convertAll(pods, toPod)}, err
}

// ptypeWire is a process type as it runs.
type ptypeWire struct {
	Name      string `json:"name"`
	Release   string `json:"release"`
	Ready     string `json:"ready"`
	Garbage   bool   `json:"garbage"`
	UpToDate  int    `json:"up_to_date"`
	Available int    `json:"available_replicas"`
	Started   stamp  `json:"started"`
}

func toPtype(p platform.PtypeStatus) ptypeWire {
	return ptypeWire{p.Name, p.Release, ratio(p.Ready, p.Wanted), p.Garbage, p.UpToDate, p.Available, stamp(p.Started)}
}

// podContainerWire is a container of a pod.
type podContainerWire struct {
	Container    string         `json:"container"`
	Image        string         `json:"image"`
	Command      []string       `json:"command"`
	Args         []string       `json:"args"`
	State        map[string]any `json:"state"`
	LastState    map[string]any `json:"lastState"`
	Ready        bool           `json:"ready"`
	RestartCount int            `json:"restartCount"`
	Status       string         `json:"status"`
	Reason       string         `json:"reason"`
	Message      string         `json:"message"`
}

func toPodContainer(c platform.Container) podContainerWire {
	return podContainerWire{c.Name, c.Image, orNone(c.Command), orNone(c.Args), orEmpty(c.State), orEmpty(c.LastState),
		c.Ready, c.Restarts, c.Status, c.Reason, c.Message}
}

// ptypeContainerWire is a container of a process type.
type ptypeContainerWire struct {
	Container      string            `json:"container"`
	Image          string            `json:"image"`
	Command        []string          `json:"command"`
	Args           []string          `json:"args"`
	LivenessProbe  map[string]any    `json:"liveness_probe"`
	ReadinessProbe map[string]any    `json:"readiness_probe"`
	Limits         map[string]string `json:"limits"`
	VolumeMounts   []mountWire       `json:"volume_mounts"`
	NodeSelector   map[string]string `json:"node_selector"`
}

type mountWire struct {
	Name      string `json:"name"`
	MountPath string `json:"mountPath"`
}

func toPtypeContainer(c platform.Container) ptypeContainerWire {
	return ptypeContainerWire{c.Name, c.Image, orNone(c.Command), orNone(c.Args), orEmpty(c.LivenessProbe), orEmpty(c.ReadinessProbe),
		orEmpty(c.Limits), convertAll(c.Mounts, func(m platform.ContainerMount) mountWire { return mountWire{m.Name, m.Path} }), orEmpty(c.NodeSelector)}
}

// eventWire is something that the cluster noted.
type eventWire struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Created stamp  `json:"created"`
}

func toClusterEvent(e platform.ClusterEvent) eventWire {
	return eventWire{e.Reason, e.Message, stamp(e.Created)}
}
