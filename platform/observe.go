package platform

import "time"

// PtypeStatus is one process type as the cluster runs it.
type PtypeStatus struct {
	Name      string
	Release   string // "v7", of the newest pods
	Ready     int    // pods that take requests
	Wanted    int    // pods that there should be
	UpToDate  int    // pods of the newest release
	Available int
	Garbage   bool // the newest release no longer has it
	Started   time.Time
}

// Container is one container of a pod, or of the pods that a process type is
// made of. The nested values are the cluster's own and never hold what an
// environment variable is set to.
type Container struct {
	Name          string
	Image         string
	Command, Args []string

	// Of a pod.
	State, LastState map[string]any // running, waiting or terminated, and about it
	Ready            bool
	Restarts         int
	Status           string // the pod's phase
	Reason, Message  string // why the pod is in it, when there is something to say

	// Of a process type.
	LivenessProbe, ReadinessProbe map[string]any
	Limits                        map[string]string
	Mounts                        []ContainerMount
	NodeSelector                  map[string]string
}

// ContainerMount is where a volume is seen in a container.
type ContainerMount struct{ Name, Path string }

// ClusterEvent is something that the cluster noted about a pod or a process
// type.
type ClusterEvent struct {
	Reason, Message string
	Created         time.Time
}

// LogLine is one line of an app's log. Lines of the platform itself have no
// process type and no pod.
type LogLine struct {
	Time       time.Time
	Ptype, Pod string
	Text       string
}

// PodUsage is what a pod uses. What the node did not tell is negative.
type PodUsage struct {
	Pod            string
	CPUSeconds     float64 // since its containers began
	Memory         int64   // bytes in use that cannot be taken back
	Disk           int64   // bytes of its own file systems and logs
	Received, Sent int64   // bytes since it began
}
