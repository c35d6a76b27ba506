//go:build !race

package sink

// simulated is how many histories TestSimulation plays: about 9 ms each.
const simulated = 1500
