/// Feature bits of the device, virtio 1.2 §5.
enum BalloonFeature {}
