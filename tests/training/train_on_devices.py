"""A program that trains on several logical CPU devices: train_on_devices.py GIN_FILE FOLDER DEVICES BINDING ..."""

import sys

import tensorflow as tf


def main():
    """Trains what the arguments say."""
    gin_file, folder, devices, *bindings = sys.argv[1:]
    if int(devices) > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * int(devices))
    import dislib_plus.methods  # noqa: F401
    from dislib_plus.training.train import train_with_gin
    train_with_gin(folder, gin_config_files=[gin_file], gin_bindings=bindings)


if __name__ == "__main__":
    main()
