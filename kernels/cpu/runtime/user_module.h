// Libraries of a user's own kernels (module.h).
#pragma once
#include <string>
#include <unordered_map>

#include "kernel_table.h"
#include "runtime/cuda_api.h"

namespace sltt_cpu {

struct UserModule {
    std::unordered_map<std::string, const KernelEntry*> kernels;
    std::string signatures;  // kernel_list.h
};

// Loads the library and checks that it is for the device. It is never unloaded, as graphs may hold its kernels. Reports what is wrong.
CUresult load_user_module(const char* path, int device, UserModule* module);

}  // namespace sltt_cpu
