# lwIP, compiled from source with our lwipopts.h: see stack/ip/README in layer.h.
