// oneDNN's engine, stream and types as the CPU device uses them.
#pragma once

#include <dnnl.hpp>
#include <initializer_list>

#include "dnn_api.h"

namespace sltt_cpu {

const dnnl::engine& onednn_engine();

// oneDNN's type of float and bfloat16.
dnnl::memory::data_type onednn_type(cudnnDataType_t type);

// Attributes with which a primitive takes its scratch memory from the caller.
dnnl::primitive_attr user_scratchpad();

// An argument of a primitive: its key, how the memory is laid out, and where it is.
struct Argument {
    int key;
    dnnl::memory::desc desc;
    const void* data;
};
void execute(const dnnl::primitive& primitive, std::initializer_list<Argument> arguments);

// While it lives, OpenMP gives this thread as many threads as work on streams gets: oneDNN plans a primitive for them.
class PlannedThreads {
public:
    PlannedThreads();
    ~PlannedThreads();
    PlannedThreads(const PlannedThreads&) = delete;
    PlannedThreads& operator=(const PlannedThreads&) = delete;

private:
    int before_;
};

}  // namespace sltt_cpu
