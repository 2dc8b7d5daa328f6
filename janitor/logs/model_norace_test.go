//go:build !race

package logs_test

// modelSteps is the default of -steps.
const modelSteps = 100_000
