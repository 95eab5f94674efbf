package client

// The objects of the API. Times are as on the wire: UTC,
// "YYYY-MM-DDTHH:MM:SSZ", empty when unknown.

// Meta is what every stored object has.
type Meta struct {
	UUID    string `json:"uuid"`
	Created string `json:"created"`
	Updated string `json:"updated"`
}

// User is an account.
type User struct {
	ID          int    `json:"id"`
	Username    string `json:"username"`
	Email       string `json:"email"`
	FirstName   string `json:"first_name"`
	LastName    string `json:"last_name"`
	IsSuperuser bool   `json:"is_superuser"`
	IsStaff     bool   `json:"is_staff"`
	IsActive    bool   `json:"is_active"`
	LastLogin   string `json:"last_login"`
	DateJoined  string `json:"date_joined"`
}

// Token is a token, its key shown in part only.
type Token struct {
	Meta
	Owner    string `json:"owner"`
	Alias    string `json:"alias"`
	FuzzyKey string `json:"fuzzy_key"`
}

// Key is an SSH key.
type Key struct {
	Meta
	Owner       string `json:"owner"`
	ID          string `json:"id"`
	Public      string `json:"public"`
	Fingerprint string `json:"fingerprint"`
}

// Workspace is a group of people with its apps.
type Workspace struct {
	Meta
	ID    string `json:"id"`
	UID   int    `json:"uid"`
	Email string `json:"email"`
}

// Member is a user in a workspace. Role is admin, member or viewer.
type Member struct {
	ID        int    `json:"id"`
	User      string `json:"user"`
	Email     string `json:"email"`
	Role      string `json:"role"`
	Alerts    bool   `json:"alerts"`
	Workspace string `json:"workspace"`
}

// Invitation asks somebody into a workspace.
type Invitation struct {
	ID        int    `json:"id"`
	Email     string `json:"email"`
	Token     string `json:"token"`
	Inviter   string `json:"inviter"`
	Accepted  bool   `json:"accepted"`
	Workspace string `json:"workspace"`
	Created   string `json:"created"`
}

// App is an application. Structure counts the pods asked for by process type.
type App struct {
	Meta
	ID        string         `json:"id"`
	UID       int            `json:"uid"`
	Workspace string         `json:"workspace"`
	Structure map[string]int `json:"structure"`
}

// Build is what an app is made of. All of it is empty before the first one.
type Build struct {
	Meta
	App        string            `json:"app"`
	Image      string            `json:"image"`
	Stack      string            `json:"stack"`
	SHA        string            `json:"sha"`
	Procfile   map[string]string `json:"procfile"`
	Dryccfile  map[string]any    `json:"dryccfile"`
	Dockerfile string            `json:"dockerfile"`
}

// Value is a variable of a config; it has a group or a process type.
type Value struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Group string `json:"group,omitempty"`
	Ptype string `json:"ptype,omitempty"`
}

// Config is all that can be set of an app and makes a release when it changes.
type Config struct {
	Meta
	App              string                       `json:"app"`
	Values           []Value                      `json:"values"`
	ValuesRefs       map[string][]string          `json:"values_refs"`
	Limits           map[string]string            `json:"limits"`
	Tags             map[string]map[string]string `json:"tags"`
	Registry         map[string]map[string]string `json:"registry"`
	Healthcheck      map[string]map[string]*Probe `json:"healthcheck"`
	Lifecycle        map[string]Lifecycle         `json:"lifecycle"`
	TerminationGrace map[string]string            `json:"termination_grace_period"`
}

// Probe is a health check; one of its four actions is set. Times are seconds.
type Probe struct {
	InitialDelaySeconds int           `json:"initialDelaySeconds,omitempty"`
	TimeoutSeconds      int           `json:"timeoutSeconds,omitempty"`
	PeriodSeconds       int           `json:"periodSeconds,omitempty"`
	SuccessThreshold    int           `json:"successThreshold,omitempty"`
	FailureThreshold    int           `json:"failureThreshold,omitempty"`
	Exec                *ExecAction   `json:"exec,omitempty"`
	HTTPGet             *HTTPAction   `json:"httpGet,omitempty"`
	TCPSocket           *SocketAction `json:"tcpSocket,omitempty"`
	GRPC                *SocketAction `json:"grpc,omitempty"`
}

// Lifecycle is what a container does after its start and before its stop, and
// the signal that stops it.
type Lifecycle struct {
	PostStart  *LifecycleHook `json:"postStart,omitempty"`
	PreStop    *LifecycleHook `json:"preStop,omitempty"`
	StopSignal string         `json:"stopSignal,omitempty"`
}

// LifecycleHook is one thing to do; one of its actions is set.
type LifecycleHook struct {
	Exec      *ExecAction   `json:"exec,omitempty"`
	HTTPGet   *HTTPAction   `json:"httpGet,omitempty"`
	TCPSocket *SocketAction `json:"tcpSocket,omitempty"`
	Sleep     *SleepAction  `json:"sleep,omitempty"`
}

// ExecAction runs a command in the container.
type ExecAction struct {
	Command []string `json:"command"`
}

// HTTPAction asks for a page.
type HTTPAction struct {
	Path        string   `json:"path,omitempty"`
	Port        int      `json:"port"`
	HTTPHeaders []Header `json:"httpHeaders,omitempty"`
}

// Header is a header of an HTTPAction.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// SocketAction connects to a port.
type SocketAction struct {
	Port int `json:"port"`
}

// SleepAction waits.
type SleepAction struct {
	Seconds int `json:"seconds"`
}

// Release is a build with a config. State is created, succeed or crashed.
type Release struct {
	Meta
	App            string      `json:"app"`
	Version        int         `json:"version"`
	State          string      `json:"state"`
	Summary        string      `json:"summary"`
	Failed         bool        `json:"failed"`
	Exception      string      `json:"exception"`
	Conditions     []Condition `json:"conditions"`
	DeployedPtypes []string    `json:"deployed_ptypes"`
	Config         string      `json:"config"`
	Build          string      `json:"build"`
}

// Condition is one step of a release's history.
type Condition struct {
	State     string   `json:"state"`
	Action    string   `json:"action"`
	Ptypes    []string `json:"ptypes"`
	Exception string   `json:"exception,omitempty"`
	Created   string   `json:"created"`
}

// Pod is one running instance.
type Pod struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Release  string `json:"release"`
	Type     string `json:"type"`
	Started  string `json:"started"`
	Ready    string `json:"ready"`
	Restarts int    `json:"restarts"`
}

// PodContainer is a container of a pod. The states are Kubernetes'.
type PodContainer struct {
	Container    string                    `json:"container"`
	Image        string                    `json:"image"`
	Command      []string                  `json:"command"`
	Args         []string                  `json:"args"`
	State        map[string]map[string]any `json:"state"`
	LastState    map[string]map[string]any `json:"lastState"`
	Ready        bool                      `json:"ready"`
	RestartCount int                       `json:"restartCount"`
	Status       string                    `json:"status"`
	Reason       string                    `json:"reason"`
	Message      string                    `json:"message"`
}

// Ptype is a process type that is deployed.
type Ptype struct {
	Name      string `json:"name"`
	Release   string `json:"release"`
	Ready     string `json:"ready"`
	Garbage   bool   `json:"garbage"`
	UpToDate  int    `json:"up_to_date"`
	Available int    `json:"available_replicas"`
	Started   string `json:"started"`
}

// PtypeContainer is a container of a process type.
type PtypeContainer struct {
	Container      string            `json:"container"`
	Image          string            `json:"image"`
	Command        []string          `json:"command"`
	Args           []string          `json:"args"`
	StartupProbe   *Probe            `json:"startup_probe,omitempty"`
	LivenessProbe  *Probe            `json:"liveness_probe"`
	ReadinessProbe *Probe            `json:"readiness_probe"`
	Limits         map[string]string `json:"limits"`
	VolumeMounts   []VolumeMount     `json:"volume_mounts"`
	NodeSelector   map[string]string `json:"node_selector"`
}

// VolumeMount is where a volume is in a container.
type VolumeMount struct {
	Name      string `json:"name"`
	MountPath string `json:"mountPath"`
}

// Event is something that happened to a pod or a process type.
type Event struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Created string `json:"created"`
}

// Settings are an app's switches.
type Settings struct {
	Meta
	App          string               `json:"app"`
	Routable     bool                 `json:"routable"`
	Autodeploy   bool                 `json:"autodeploy"`
	Autorollback bool                 `json:"autorollback"`
	Autoscale    map[string]Autoscale `json:"autoscale"`
	Label        map[string]string    `json:"label"`
}

// Autoscale is a rule for one process type.
type Autoscale struct {
	Min        int `json:"min"`
	Max        int `json:"max"`
	CPUPercent int `json:"cpu_percent"`
}
