// size_t is a word of NVRTC itself.
#pragma once
#define offsetof(type, member) ((size_t)__INTADDR__(&((type*)0)->member))
