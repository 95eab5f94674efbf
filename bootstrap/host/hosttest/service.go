package hosttest

import (
	"context"
	"errors"
	"io/fs"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Service is a host.Service on a Fake: it writes one unit file and records its
// calls as changes of the host.
type Service struct {
	Host *Fake
	Path string
	// OnStart, when set, makes the process of a started service.
	OnStart func()
}

var _ host.Service = (*Service)(nil)

// Manager implements host.Service.
func (s *Service) Manager() string { return host.ManagerSystemd }

// Files implements host.Service.
func (s *Service) Files() []string { return []string{s.Path} }

// Logs implements host.Service.
func (s *Service) Logs() string { return "journalctl -u slipway" }

// Install implements host.Service.
func (s *Service) Install(_ context.Context, w host.Writer, _ bool) error {
	if err := w.WriteFile(s.Path, []byte("[Service]\n"), 0o644); err != nil {
		return err
	}
	return s.Host.Change("service enable")
}

// Start implements host.Service.
func (s *Service) Start(context.Context) error {
	if err := s.Host.Change("service start"); err != nil {
		return err
	}
	if s.OnStart != nil {
		s.OnStart()
	}
	return nil
}

// Stop implements host.Service.
func (s *Service) Stop(context.Context) error {
	st, err := s.Status(context.Background())
	if err != nil || !st.Running {
		return err
	}
	if err := s.Host.Change("service stop"); err != nil {
		return err
	}
	s.Host.mu.Lock()
	defer s.Host.mu.Unlock()
	for i, p := range s.Host.Procs {
		if p.PID == st.PID {
			s.Host.Procs = append(s.Host.Procs[:i:i], s.Host.Procs[i+1:]...)
			break
		}
	}
	return nil
}

// Status implements host.Service: a process named "slipway" is the server.
func (s *Service) Status(context.Context) (host.Status, error) {
	_, err := s.Host.Stat(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return host.Status{}, nil
	}
	if err != nil {
		return host.Status{}, err
	}
	all, err := s.Host.Processes()
	for _, p := range all {
		if p.Name == "slipway" {
			return host.Status{Installed: true, Running: true, PID: p.PID}, err
		}
	}
	return host.Status{Installed: true}, err
}

// Uninstall implements host.Service.
func (s *Service) Uninstall(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	return s.Host.Remove(s.Path)
}
