package kube

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// translate makes a platform.Error of what the API server, or the lack of
// one, answered. When ctx is over the error stays what it is, so that callers
// can tell their own doing from the cluster's; so does a failed rollout.
func translate(ctx context.Context, op string, err error) error {
	var ours *platform.Error
	var failed *control.RolloutError
	if err == nil || ctx.Err() != nil || errors.As(err, &ours) || errors.As(err, &failed) {
		return err
	}
	e := &platform.Error{Op: "kube." + op, Err: err}
	switch {
	case isAway(err):
		e.Code, e.Message = platform.Unavailable, "the cluster does not answer; try again in a moment"
	case apierrors.IsNotFound(err):
		e.Code, e.Message = platform.NotFound, "the cluster has no such object"
	case apierrors.HasStatusCause(err, "NamespaceTerminating"):
		e.Code, e.Message = platform.Conflict, "the namespace is still being deleted; try again in a moment"
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		e.Code, e.Message = platform.Conflict, "the object was changed by somebody else at the same time"
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		e.Code, e.Message = platform.Invalid, "the cluster refuses the object: "+statusMessage(err)
	case apierrors.IsForbidden(err):
		e.Code, e.Message = platform.Unprocessable, "the cluster does not admit the object: "+statusMessage(err)
	default:
		e.Code, e.Message = platform.Internal, "the cluster answered in a way that was not expected"
	}
	return e
}

// isAway tells a cluster that may be back in a moment from one that refuses.
func isAway(err error) bool {
	if apierrors.IsServiceUnavailable(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) ||
		apierrors.IsTooManyRequests(err) || apierrors.IsInternalError(err) {
		return true
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return status.Status().Code >= 500
	}
	var netErr net.Error
	var urlErr *url.Error
	return errors.As(err, &netErr) || errors.As(err, &urlErr) || utilnet.IsConnectionRefused(err) ||
		utilnet.IsConnectionReset(err) || utilnet.IsHTTP2ConnectionLost(err) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func statusMessage(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return clip(status.Status().Message, maxMessage)
	}
	return "no reason given"
}

// maxMessage bounds what of the cluster's words goes into an error, in bytes.
const maxMessage = 600

// clip cuts s after at most n bytes, at a rune's border.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
