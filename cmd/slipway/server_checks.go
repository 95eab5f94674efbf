package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/platform"
)

// platformChecks are those that only the running server can ask.
func (s *server) platformChecks() []doctor.Check {
	nodes := func(judge func([]k3s.NodeHealth) []doctor.Finding) func(context.Context) ([]doctor.Finding, error) {
		return func(ctx context.Context) ([]doctor.Finding, error) {
			list, err := k3s.NodeHealths(ctx, s.paths.Kubeconfig, time.Now)
			return judge(list), err
		}
	}
	return []doctor.Check{
		{ID: "nodes", Title: "nodes of the cluster", Scope: doctor.RunningServer, Look: nodes(judgeNodes)},
		{ID: "clock-peers", Title: "clocks of the nodes", Scope: doctor.RunningServer, Look: nodes(judgeClocks)},
		{ID: "servers", Title: "number of servers", Scope: doctor.RunningServer, Look: nodes(judgeServers)},
		{ID: "gateway", Title: "answers of the gateway", Scope: doctor.RunningServer, Look: s.checkGateway},
		{ID: "registry", Title: "answers of the registry", Scope: doctor.RunningServer, Look: s.checkRegistry},
		{ID: "app-certificates", Title: "uploaded certificates of apps", Scope: doctor.RunningServer, Look: s.checkAppCertificates},
	}
}

func judgeNodes(list []k3s.NodeHealth) []doctor.Finding {
	var found []doctor.Finding
	for _, n := range list {
		if !n.Ready {
			found = append(found, doctor.Finding{Severity: doctor.Error, Title: "a node is not ready", Evidence: n.Name + ": " + n.Reason,
				Reason: "its pods are started elsewhere where that is possible, and those with volumes on it are off", Cure: "look at that host; \"slipway node\" takes it out when it is gone for good"})
		}
		for _, trouble := range n.Trouble {
			found = append(found, doctor.Finding{Severity: doctor.Error, Title: "a node is under pressure", Evidence: n.Name + ": " + trouble,
				Reason: "pods are evicted from it, and no new ones are put there", Cure: "free disk or memory on that host; \"slipway doctor\" there says more"})
		}
	}
	return found
}

// skewMost is what a healthy time service keeps between hosts, with room.
const skewMost = 2 * time.Second

func judgeClocks(list []k3s.NodeHealth) []doctor.Finding {
	var found []doctor.Finding
	for _, n := range list {
		if n.Ahead > skewMost {
			found = append(found, doctor.Finding{Severity: doctor.Warning, Title: "the clocks of nodes differ", Evidence: fmt.Sprintf("%s is %s ahead of this server", n.Name, n.Ahead.Round(time.Second)),
				Reason: "leases, tokens and certificates need clocks that agree", Cure: "have a time service on every host: timedatectl set-ntp true"})
		}
	}
	return found
}

func judgeServers(list []k3s.NodeHealth) []doctor.Finding {
	servers := 0
	for _, n := range list {
		if n.Server {
			servers++
		}
	}
	if servers == 0 || servers%2 == 1 {
		return nil
	}
	return []doctor.Finding{{Severity: doctor.Warning, Title: "the number of servers is even", Evidence: fmt.Sprintf("%d servers", servers),
		Reason: fmt.Sprintf("they need %d to agree, so this many bear no more failures than one less", servers/2+1), Cure: "join one more server, or remove one"}}
}

// checkGateway asks the controller's health through the gateway, as a user's
// browser would.
func (s *server) checkGateway(ctx context.Context) ([]doctor.Finding, error) {
	status, err := askThroughGateway(ctx, "drycc."+s.settings.Domain)
	if err == nil && status == http.StatusOK {
		return nil, nil
	}
	evidence := fmt.Sprintf("http://drycc.%s/healthz answers %d on this host's port 80", s.settings.Domain, status)
	if err != nil {
		evidence = err.Error()
	}
	return []doctor.Finding{{Severity: doctor.Error, Title: "the gateway does not lead to the controller", Evidence: evidence,
		Reason: "nobody reaches the API, and maybe not the apps", Cure: "slipway kubectl -n drycc get pods; slipway kubectl -n drycc logs -l app.kubernetes.io/name=gateway"}}, nil
}

// checkRegistry asks the registry where the node pulls from; that it wants to
// know who asks is an answer.
func (s *server) checkRegistry(ctx context.Context) ([]doctor.Finding, error) {
	url := fmt.Sprintf("http://%s:5000/v2/", s.settings.RegistryIP())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	evidence := ""
	if err != nil {
		evidence = err.Error()
	} else {
		if err := response.Body.Close(); err != nil {
			return nil, err
		}
		if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusUnauthorized {
			return nil, nil
		}
		evidence = url + " answers " + response.Status
	}
	return []doctor.Finding{{Severity: doctor.Warning, Title: "the registry does not answer", Evidence: evidence,
		Reason: "images of apps are neither pushed nor pulled; apps that run go on", Cure: "slipway kubectl -n drycc get pods; slipway kubectl -n drycc logs -l app.kubernetes.io/name=registry"}}, nil
}

// uploadedWarning leaves people two weeks to get and upload a new one.
const uploadedWarning = 14 * 24 * time.Hour

func (s *server) checkAppCertificates(ctx context.Context) ([]doctor.Finding, error) {
	db := s.rounds.database()
	if db == nil {
		return nil, nil // another server's controller works, and looks
	}
	list, err := db.ExpiringCerts(ctx, time.Now().Add(uploadedWarning))
	return judgeCerts(list, time.Now()), err
}

// judgeCerts tells of certificates that are in use.
func judgeCerts(list []platform.Cert, now time.Time) []doctor.Finding {
	var found []doctor.Finding
	for _, c := range list {
		if len(c.Domains) == 0 {
			continue
		}
		title, verb := "an uploaded certificate ends soon", "ends"
		if !c.Expires.After(now) {
			title, verb = "an uploaded certificate has ended", "ended"
		}
		found = append(found, doctor.Finding{Severity: doctor.Warning, Title: title,
			Evidence: fmt.Sprintf("%s of %s, for %s, %s on %s", c.Name, c.Owner, strings.Join(c.Domains, ", "), verb, c.Expires.UTC().Format(time.DateOnly)),
			Reason:   "browsers refuse those domains after that; whoever uploads a certificate renews it", Cure: "its owner uploads a new one: drycc certs add; or has it issued: drycc certs auto enable"})
	}
	return found
}
