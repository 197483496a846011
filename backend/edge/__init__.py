"""The stream: one snapshot, then deltas with offsets, over WebSocket."""
