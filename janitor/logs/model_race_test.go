//go:build race

package logs_test

// modelSteps is the default of -steps: under the race detector a step takes
// ten times as long.
const modelSteps = 10_000
