package disk

// Count lets tests have file systems that this machine has not.
var Count = count
