#include "scratch.h"

#include <memory>
#include <new>

namespace sltt_cpu {
namespace {

constexpr std::align_val_t LINE{64};

struct Free {
    void operator()(char* memory) const { operator delete(memory, LINE); }
};

}  // namespace

char* scratch_memory(size_t bytes) {
    thread_local std::unique_ptr<char, Free> memory;
    thread_local size_t size = 0;
    if (bytes > size) {
        memory.reset();
        size = 0;
        memory.reset(static_cast<char*>(operator new(bytes, LINE)));
        size = bytes;
    }
    return memory.get();
}

}  // namespace sltt_cpu
