package kube

import (
	"encoding/json"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// drainSeconds is how long a served pod goes on serving after it was told to
// end. The gateway may gather changes for two seconds before it takes a pod
// out of its rotation; until then requests still arrive.
const drainSeconds = 5

type probes struct{ Liveness, Readiness, Startup *corev1.Probe }

// renderProbes takes the probes of the app and adds a readiness probe to a
// routed process that has none.
func renderProbes(p control.Process) (probes, error) {
	var out probes
	targets := map[string]**corev1.Probe{
		"livenessProbe": &out.Liveness, "readinessProbe": &out.Readiness, "startupProbe": &out.Startup,
	}
	for _, name := range slices.Sorted(maps.Keys(p.Healthcheck)) {
		target, known := targets[name]
		if !known {
			return probes{}, platform.FieldErrorf("healthcheck", "%s is no probe; use livenessProbe, readinessProbe or startupProbe", name)
		}
		if p.Healthcheck[name] == nil {
			continue
		}
		probe := &corev1.Probe{}
		if err := convert(p.Healthcheck[name], probe); err != nil {
			return probes{}, invalid("healthcheck", p.Ptype, name, err)
		}
		*target = probe
	}
	if out.Readiness == nil && p.Routed && p.Port > 0 {
		out.Readiness = defaultReadiness()
	}
	return out, nil
}

// defaultReadiness asks every second, at once: a deploy waits for the first
// success, so the 5 s of delay and period that this had elsewhere would be
// added to each. One missed answer does not take a busy pod out of rotation,
// as that would give its load to the rest; a pod that ended is out at once
// anyway.
func defaultReadiness() *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{
			TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString(portName)},
		},
		TimeoutSeconds:   5,
		PeriodSeconds:    1,
		SuccessThreshold: 1,
		FailureThreshold: 4,
	}
}

// served reports whether others connect to the process by its Service. The
// web process keeps that when the app is not routable: only its route goes.
func served(p control.Process) bool {
	return p.Port > 0 && (p.Routed || p.Served || p.Ptype == platform.WebPtype)
}

// renderLifecycle takes the hooks of the app. A served process without a
// preStop hook gets one that waits: the container needs no shell for it.
//
// A hook that opens a socket is left out. The API has it, but no kubelet
// carries it out: after a start it would kill the container each time.
func renderLifecycle(p control.Process) (*corev1.Lifecycle, error) {
	l := &corev1.Lifecycle{}
	for _, name := range slices.Sorted(maps.Keys(p.Lifecycle)) {
		if name != "postStart" && name != "preStop" && name != "stopSignal" {
			return nil, platform.FieldErrorf("lifecycle", "%s is no hook; use postStart, preStop or stopSignal", name)
		}
		if err := convert(map[string]any{name: p.Lifecycle[name]}, l); err != nil {
			return nil, invalid("lifecycle", p.Ptype, name, err)
		}
	}
	for _, hook := range []**corev1.LifecycleHandler{&l.PostStart, &l.PreStop} {
		if *hook != nil && (*hook).TCPSocket != nil {
			*hook = nil
		}
	}
	if l.StopSignal != nil && (*l.StopSignal == "" || *l.StopSignal == corev1.SIGTERM) {
		l.StopSignal = nil // what happens anyway; clients always send it
	}
	if l.PreStop == nil && served(p) {
		l.PreStop = &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: drainSeconds}}
	}
	if *l == (corev1.Lifecycle{}) {
		return nil, nil
	}
	return l, nil
}

// convert reads the JSON form that users wrote into the Kubernetes type.
func convert(from, to any) error {
	raw, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, to)
}

func invalid(field, ptype, name string, err error) error {
	e := platform.FieldErrorf(field, "%s of process type %s cannot be read", name, ptype)
	e.Err = err
	return e
}

// renderSecurity drops every capability and gives back those without which
// ordinary images do not start: their entrypoints run as root, take over a
// data directory (CHOWN, DAC_OVERRIDE, FOWNER, FSETID), bind port 80
// (NET_BIND_SERVICE), become the user of the service (SETUID, SETGID) and
// signal it (KILL). nginx and postgres need just these. All are within the
// baseline level. Raw sockets, device nodes, chroot, file capabilities and
// audit records stay out, and nothing gains privileges by setuid files.
func renderSecurity() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: ptr(false),
		Capabilities: &corev1.Capabilities{
			Drop: []corev1.Capability{"ALL"},
			Add: []corev1.Capability{
				"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID",
			},
		},
	}
}

// renderResources leaves out what the plan does not say.
func renderResources(plan control.Plan) corev1.ResourceRequirements {
	list := func(cpu, memory, ephemeral int64) corev1.ResourceList {
		l := corev1.ResourceList{}
		if cpu > 0 {
			l[corev1.ResourceCPU] = *resource.NewMilliQuantity(cpu, resource.DecimalSI)
		}
		if memory > 0 {
			l[corev1.ResourceMemory] = *resource.NewQuantity(memory, resource.BinarySI)
		}
		if ephemeral > 0 {
			l[corev1.ResourceEphemeralStorage] = *resource.NewQuantity(ephemeral, resource.BinarySI)
		}
		if len(l) == 0 {
			return nil
		}
		return l
	}
	return corev1.ResourceRequirements{
		Limits:   list(plan.CPULimit, plan.MemoryLimit, plan.EphemeralLimit),
		Requests: list(plan.CPURequest, plan.MemoryRequest, plan.EphemeralRequest),
	}
}
