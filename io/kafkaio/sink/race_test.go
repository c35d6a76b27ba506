//go:build race

package sink

// simulated is how many histories TestSimulation plays: the race detector makes each cost
// ten times as much.
const simulated = 200
