package kube

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Program is one of the platform's own programs in the cluster, for commands
// that are run beside it in its pod.
type Program struct {
	cluster  *Cluster
	name     string // label app.kubernetes.io/name
	patience time.Duration
}

// programLook is how often a pod that is not running is looked for again.
const programLook = 250 * time.Millisecond

// Program is the one whose pods are called name, in the platform's namespace.
// One that is being replaced is waited for as long as patience.
func (c *Cluster) Program(name string, patience time.Duration) *Program {
	return &Program{cluster: c, name: name, patience: patience}
}

// Exec runs command in the program's pod and copies its input and output. A
// code other than 0 is an error with what the command said; a pod that does
// not run is Unavailable. When ctx ends the command's input does.
func (p *Program) Exec(ctx context.Context, command []string, stdin io.Reader, stdout io.Writer) error {
	pod, err := p.find(ctx)
	if err != nil {
		return translate(ctx, "Exec", err)
	}
	where := p.cluster.core.CoreV1().RESTClient().Post().Namespace(pod.Namespace).Resource("pods").Name(pod.Name).
		SubResource("exec").VersionedParams(&corev1.PodExecOptions{
		Container: pod.Spec.Containers[0].Name, Command: command, Stdin: stdin != nil, Stdout: true, Stderr: true,
	}, scheme.ParameterCodec).URL()
	said := &firstBytes{most: maxMessage}
	code, err := p.cluster.stream(ctx, "Exec", where, control.Terminal{Stdin: stdin, Stdout: stdout, Stderr: said})
	if err == nil && code != 0 {
		err = fmt.Errorf("%s in the pod of %s ended with code %d: %s", command[0], p.name, code, said)
	}
	return err
}

// find waits for a pod that runs.
func (p *Program) find(ctx context.Context) (*corev1.Pod, error) {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	tick := time.NewTicker(programLook)
	defer tick.Stop()
	for {
		list, err := p.cluster.core.CoreV1().Pods(p.cluster.opts.GatewayNamespace).List(ctx, metav1.ListOptions{
			LabelSelector: "app.kubernetes.io/name=" + p.name,
		})
		if err == nil {
			for i := range list.Items {
				if pod := &list.Items[i]; running(pod) && pod.DeletionTimestamp == nil {
					return pod, nil
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil, platform.Errorf(platform.Unavailable, "The platform's %s is not running. Try again, and tell an operator if it stays so.", p.name)
		case <-tick.C:
		}
	}
}

// firstBytes keeps the beginning of what is written to it.
type firstBytes struct {
	kept bytes.Buffer
	most int
}

// Write keeps what fits.
func (f *firstBytes) Write(b []byte) (int, error) {
	if room := f.most - f.kept.Len(); room > 0 {
		f.kept.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}

// String is what was kept, in one line.
func (f *firstBytes) String() string { return strings.Join(strings.Fields(f.kept.String()), " ") }
