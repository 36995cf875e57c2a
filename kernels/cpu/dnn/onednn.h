// oneDNN's engine, stream and types as the CPU device uses them.
#pragma once

#include <dnnl.hpp>
#include <initializer_list>

#include "numbers.h"

namespace sltt_cpu {

const dnnl::engine& onednn_engine();

// oneDNN's type of float and bfloat16.
dnnl::memory::data_type onednn_type(Number type);

// Attributes with which a primitive takes its scratch memory from the caller.
dnnl::primitive_attr user_scratchpad();

// An argument of a primitive: its key, how the memory is laid out, and where it is.
struct Argument {
    int key;
    dnnl::memory::desc desc;
    const void* data;
};
void execute(const dnnl::primitive& primitive, std::initializer_list<Argument> arguments);

// While it lives, OpenMP gives this thread's parallel regions this number of threads. oneDNN plans a primitive for it, and runs by it.
class OpenMpThreads {
public:
    explicit OpenMpThreads(int count);
    ~OpenMpThreads();
    OpenMpThreads(const OpenMpThreads&) = delete;
    OpenMpThreads& operator=(const OpenMpThreads&) = delete;

private:
    int before_;
};

}  // namespace sltt_cpu
