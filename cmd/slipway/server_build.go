package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-paas/slipway/bootstrap/secrets"
	"github.com/slipway-paas/slipway/charts"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/slipway-paas/slipway/platform/build"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/kube"
)

// builderPatience is how long a builder that is being replaced is waited for.
const builderPatience = 30 * time.Second

const megabyte = 1 << 20

// newBuilder makes what builds source trees, on the builder in the cluster.
func (s *server) newBuilder(cluster *kube.Cluster) (*build.Engine, error) {
	registry, err := s.buildRegistry()
	if err != nil {
		return nil, err
	}
	pod, disk := cluster.Program("builder", builderPatience), int64(s.number("SLIPWAY_BUILD_DISK", 10240))*megabyte
	return build.New(build.Options{
		Pod: pod, Domain: s.settings.Domain, Former: s.settings.FormerDomains, Carried: s.carriedImages, Registry: registry,
		Packer: build.NewPacks(build.PacksOptions{
			Pod: pod, Registry: registry, Aliases: s.registryNames(), Layout: embedded.Packs,
			Builder: s.settings.ControllerSetting("SLIPWAY_BUILD_PACK_BUILDER"), Disk: disk, Free: s.keepFree(),
		}),
		Source: build.Limits{
			Bytes: int64(s.number("SLIPWAY_BUILD_SOURCE_LIMIT", 1024)) * megabyte, Files: s.number("SLIPWAY_BUILD_SOURCE_FILES", 0),
		},
		Disk: disk, Free: s.keepFree(), Logger: s.log,
	}), nil
}

// newImages is what keeps the registry tidy of images of builds.
func (s *server) newImages(cluster *kube.Cluster) (control.ImageOptions, error) {
	registry, err := s.buildRegistry()
	if err != nil {
		return control.ImageOptions{}, err
	}
	return control.ImageOptions{
		Images:   build.NewImages(registry, cluster.RegistryValve(), s.registryNames()),
		Releases: s.number("SLIPWAY_IMAGES_KEEP", 0), Every: time.Duration(s.number("SLIPWAY_IMAGES_EVERY", 0)) * time.Minute,
	}, nil
}

// buildRegistry is the registry as builds come to it.
func (s *server) buildRegistry() (build.Registry, error) {
	password, err := s.builderPassword()
	return build.Registry{Address: s.settings.RegistryIP().String() + ":5000", Username: secrets.BuilderUser, Password: password}, err
}

// registryNames are those of the registry in references to images.
func (s *server) registryNames() []string {
	return registryHosts(append([]string{s.settings.Domain}, s.settings.FormerDomains...))
}

// builderPassword is that of builds at the registry.
func (s *server) builderPassword() (string, error) {
	key, err := secrets.OpenKey(s.paths.SecretKey)
	if err != nil {
		return "", err
	}
	return secrets.Derive(key, "registry-builder"), nil
}

// number is a setting that is a whole number; they were checked when the host
// was prepared.
func (s *server) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(s.settings.ControllerSetting(name)); err == nil {
		return n
	}
	return otherwise
}

// keepFree is how many bytes of the disk builds leave free. The kubelet ends
// apps when less than a twentieth is: builds have to stop well before.
func (s *server) keepFree() int64 {
	const least = 2 << 30
	var disk unix.Statfs_t
	if err := unix.Statfs(s.settings.DataDir, &disk); err != nil {
		s.log.WithError(err).Warn("looking at the disk that builds write to")
		return least
	}
	return max(int64(disk.Blocks)*disk.Bsize/100*int64(s.number("SLIPWAY_BUILD_KEEP_FREE", 10)), least)
}

// builderSettings are the chart's.
func (s *server) builderSettings() charts.Builder {
	b := charts.Defaults().Builder
	b.ClusterCIDRs = []string{s.settings.ClusterCIDR.String(), s.settings.ServiceCIDR.String()}
	b.HostIPs = append(kube.HostAddresses(), s.nodes.addresses()...)
	b.CPU = strconv.Itoa(max(runtime.NumCPU()/2, 1))
	if cpu := s.settings.ControllerSetting("SLIPWAY_BUILD_CPU"); cpu != "" {
		b.CPU = cpu
	}
	if memory := s.settings.ControllerSetting("SLIPWAY_BUILD_MEMORY"); memory != "" {
		b.Memory = memory
	}
	b.Processes = s.number("SLIPWAY_BUILD_PROCESSES", b.Processes)
	b.CacheMB = s.number("SLIPWAY_BUILD_CACHE", b.CacheMB)
	b.KeepFreeMB = int(s.keepFree() / megabyte)
	b.UserSpace = s.userNamespace()
	return b
}

// userNamespace says whether the builder can have a user namespace of its own:
// as set, else where the kernel and the disk are able to.
func (s *server) userNamespace() bool {
	switch s.settings.ControllerSetting("SLIPWAY_BUILD_USER_NAMESPACE") {
	case "true":
		return true
	case "false":
		return false
	}
	var disk unix.Statfs_t
	var kernel unix.Utsname
	if unix.Statfs(s.settings.DataDir, &disk) != nil || unix.Uname(&kernel) != nil {
		return false
	}
	most, err := os.ReadFile("/proc/sys/user/max_user_namespaces")
	if err != nil || strings.TrimSpace(string(most)) == "0" {
		return false
	}
	return mapsUsers(int64(disk.Type), unix.ByteSliceToString(kernel.Release[:]))
}

// mapsUsers reports whether a kernel can show a file system of a kind with
// other owners, and a tmpfs too.
func mapsUsers(disk int64, kernel string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(kernel, "%d.%d", &major, &minor); err != nil || major < 6 || major == 6 && minor < 3 {
		return false
	}
	return slices.Contains([]int64{unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC}, disk)
}

// carriedImages are the base images in this program, as they were staged for
// the node.
func (s *server) carriedImages() (map[string][]byte, error) {
	busybox, err := os.ReadFile(filepath.Join(s.settings.DataDir, "agent", "images", "slipway-busybox.tar"))
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"docker.io/library/busybox:latest": busybox, "docker.io/library/busybox:1.35": busybox}, nil
}
