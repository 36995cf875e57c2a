// What the device tells: one line on stderr for each failure.
#pragma once

#include <string>

#include "runtime/cuda_api.h"

namespace sltt_cpu {

// Thrown by work that cannot be done. The call that runs the work, or waits for it, returns `result`.
// Any other exception that work throws becomes CUDA_ERROR_LAUNCH_FAILED.
struct DeviceError {
    CUresult result;
    std::string message;
};

// Writes one line on stderr: "sltt_cpu: <text>".
void report(const std::string& text);
// The text of the latest line.
std::string last_message();

}  // namespace sltt_cpu
