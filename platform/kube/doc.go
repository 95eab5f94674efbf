// Package kube runs deployments on Kubernetes: it is the control.Cluster of
// the product. It has two halves.
//
// The pure half renders a control.Deployment into typed objects and touches
// nothing:
//
//	control.Deployment ──Render──▶ Objects
//	                                ├─ Namespace, NetworkPolicy      one per app
//	                                ├─ ResourceQuota, LimitRange     if set
//	                                └─ per process type
//	                                    ├─ Secret  {app}-{ptype}-vN-env
//	                                    ├─ Secret  private-registry-{ptype}-vN
//	                                    ├─ Deployment, HorizontalPodAutoscaler {app}-{ptype}
//	                                    └─ Service, HTTPRoute {app}   (routed only)
//
// The other half applies them, server side and under one field manager, and
// follows the cluster by watch until the release is ready or has failed:
//
//	           apply secrets, deployments
//	                      │
//	                      ▼
//	        ┌────────── watching ───────────┐
//	  ready │      image, crash, config,    │ API server away
//	        │      schedule, deadline       │ or context over
//	        ▼               │               ▼
//	service, route          ▼           returns; nothing
//	mark as serving     restoring       is undone, the next
//	prune old secrets   put back what   Apply carries on
//	        │           served, or      from here
//	        ▼           remove
//	      done              │
//	                        ▼
//	                  RolloutError
//
// What served before a release is known from the cluster itself: a Deployment
// carries the annotation drycc.cc/serving with the last version that became
// ready, and the ReplicaSet of that version holds its pod template. So a
// release that fails after a restart of the controller is undone as well.
//
// Nothing here runs between calls: the watches of an Apply are opened when it
// begins and are closed before it returns, which keeps memory flat however
// many apps there are.
package kube
