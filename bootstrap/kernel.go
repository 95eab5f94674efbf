package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// SysctlFile holds our kernel settings for the next boot.
const SysctlFile = "/etc/sysctl.d/90-slipway.conf"

// KernelSetting is one that a node needs.
type KernelSetting struct {
	Key   string // below /proc/sys
	Value string
	Least bool // a larger number is as good, and stays
}

// KernelSettings are what the kubelet demands of a kernel that it may not
// change itself (protect-kernel-defaults), the inotify limits that some dozens
// of pods need, and that the gateway which goes hands the connections it has not
// taken yet to the one that comes: the kernel would reset them.
func KernelSettings() []KernelSetting {
	return []KernelSetting{
		{"vm/overcommit_memory", "1", false},
		{"vm/panic_on_oom", "0", false},
		{"kernel/panic", "10", false},
		{"kernel/panic_on_oops", "1", false},
		{"kernel/keys/root_maxkeys", "1000000", false},
		{"kernel/keys/root_maxbytes", "25000000", false},
		{"fs/inotify/max_user_instances", "8192", true},
		{"fs/inotify/max_user_watches", "524288", true},
		{"net/ipv4/tcp_migrate_req", "1", true},
	}
}

// fits reports whether the kernel has the setting already. An absent one, as in
// some containers, asks for nothing.
func (k KernelSetting) fits(h host.Kernel) (bool, error) {
	now, err := h.Sysctl(k.Key)
	if isAbsent(err) {
		return true, nil
	}
	if err != nil || now == k.Value {
		return err == nil, err
	}
	if !k.Least {
		return false, nil
	}
	have, err := strconv.Atoi(now)
	want, err2 := strconv.Atoi(k.Value)
	return err == nil && err2 == nil && have >= want, errors.Join(err, err2)
}

// sysctlFile is the file for the settings that are not met without us.
func sysctlFile(settings []KernelSetting) []byte {
	var b strings.Builder
	b.WriteString("# Written by `slipway install`, taken back by `slipway uninstall`.\n")
	for _, k := range settings {
		fmt.Fprintf(&b, "%s = %s\n", strings.ReplaceAll(k.Key, "/", "."), k.Value)
	}
	return []byte(b.String())
}

// kernelStep makes the kernel as a node needs it, now and at the next boot. A
// host that does not let us, such as some containers, keeps what it has: the
// kubelet then sees to what it can.
func (d InstallDeps) kernelStep() Step {
	return Step{
		Name: "kernel settings",
		Done: func(context.Context) (bool, error) {
			data, err := d.Host.ReadFile(SysctlFile)
			if isAbsent(err) || (err == nil && string(data) != string(sysctlFile(KernelSettings()))) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			unmet, err := UnmetKernelSettings(d.Host)
			return len(unmet) == 0, err
		},
		Do: func(_ context.Context, j *Journal) error {
			for _, k := range KernelSettings() {
				if err := setKernel(j, k); err != nil {
					return err
				}
			}
			return j.WriteFile(SysctlFile, sysctlFile(KernelSettings()), 0o644)
		},
	}
}

// setKernel sets one setting where that is needed and can be done. One that an
// earlier run has set and could not record is recorded.
func setKernel(j *Journal, k KernelSetting) error {
	now, err := j.Host().Sysctl(k.Key)
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if now == k.Value {
		return j.Sysctl(k.Key, k.Value)
	}
	if ok, err := k.fits(j.Host()); err != nil || ok {
		return err
	}
	fixed, err := readOnly(j.Host(), k.Key)
	if err != nil {
		return err
	}
	if fixed {
		j.Note(strings.ReplaceAll(k.Key, "/", ".") + " cannot be set here and stays as it is")
		return nil
	}
	return j.Sysctl(k.Key, k.Value)
}

// readOnly tries whether a setting may be written, by writing what it is: a
// change that the ledger has begun and that cannot be made could not be undone.
func readOnly(h host.Kernel, key string) (bool, error) {
	now, err := h.Sysctl(key)
	if err == nil {
		err = h.SetSysctl(key, now)
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return true, nil
	}
	return false, err
}

// UnmetKernelSettings lists those that this kernel does not have.
func UnmetKernelSettings(h host.Kernel) ([]KernelSetting, error) {
	var unmet []KernelSetting
	for _, k := range KernelSettings() {
		ok, err := k.fits(h)
		if err != nil {
			return nil, fmt.Errorf("kernel setting %s: %w", k.Key, err)
		}
		if !ok {
			unmet = append(unmet, k)
		}
	}
	return unmet, nil
}

// SettleKernel sets again what a boot without sysctl.d, or another program, has
// changed since the install, whose ledger has the values of before. It returns
// what could not be set. An installation of a version before these settings,
// which has no file of them, has nothing in its ledger: nothing is set then.
func SettleKernel(h host.Host) ([]KernelSetting, error) {
	unmet, err := UnmetKernelSettings(h)
	if err != nil {
		return nil, err
	}
	if _, err := h.Stat(SysctlFile); isAbsent(err) {
		return unmet, nil
	}
	var left []KernelSetting
	for _, k := range unmet {
		if err := h.SetSysctl(k.Key, k.Value); err != nil {
			left = append(left, k)
		}
	}
	return left, nil
}
