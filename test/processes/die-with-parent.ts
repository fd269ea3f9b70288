// Loaded before a program under test (node --import): however the test run ends, SIGKILL included, the
// kernel closes the IPC channel, and the program goes too. The channel alone keeps nothing alive.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.channel?.unref();
