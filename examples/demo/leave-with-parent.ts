// Imported or preloaded (--import) by every process the demo starts: when the demo is gone, however it
// ended, the channel to it closes and nobody stays behind.
process.once('disconnect', () => process.exit(1));
process.channel?.unref();
