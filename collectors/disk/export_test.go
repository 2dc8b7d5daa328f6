package disk

// Count lets tests have file systems that this machine has not.
var Count = count

// Reason is the sentence of a [State].
var Reason = reason
