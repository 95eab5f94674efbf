// Package platform is the language of the product: apps, builds, configs,
// releases, process types, pods and users, their validation, and the one error
// type that crosses every boundary.
//
// It imports the standard library only and knows no dialect, no SQL and no
// Kubernetes. Rules that need the store or the cluster live in
// platform/control; adapters (store, kube, api) import this package and
// translate.
package platform
