// Device and pinned host memory of the CPU device.
//
// Device 0: anonymous pages, untouched until used. Device 1 (strict): each allocation between fences and unmapped
// pages, poisoned with NaN, its addresses never used again, and not accessible while no work runs.
#pragma once
#include <cstddef>
#include <string>

#include "cuda_api.h"

namespace sltt_cpu {

constexpr int DEVICE_COUNT = 2;
constexpr int FAST_DEVICE = 0;
constexpr int STRICT_DEVICE = 1;

struct Allocation {
    uintptr_t base = 0;  // what the caller got
    size_t size = 0;     // what the caller asked for
    int device = FAST_DEVICE;
    const void* owner = nullptr;  // the context that device memory belongs to
    bool host = false;  // pinned host memory, which the device may use too
    unsigned flags = 0;  // of cuMemHostAlloc
    void* map = nullptr;  // null for memory of the caller's
    size_t map_size = 0;
    bool contains(uintptr_t p, size_t bytes) const { return p >= base && bytes <= size && p - base <= size - bytes; }
};

CUresult allocate_device(int device, const void* owner, size_t bytes, CUdeviceptr* pointer);
CUresult allocate_host(size_t bytes, unsigned flags, void** pointer);
// Frees memory that the function of the same name gave. CUDA_ERROR_INVALID_VALUE for anything else, also freed before;
// CUDA_ERROR_ILLEGAL_ADDRESS where a fence of it was overwritten (it is freed all the same).
CUresult free_device(CUdeviceptr pointer);
CUresult free_host(void* pointer);
// The caller's memory as pinned memory. CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED where it overlaps what is known.
CUresult register_host(void* pointer, size_t bytes, unsigned flags);
CUresult unregister_host(void* pointer);
// Frees the device memory of a context that ends.
void free_all(const void* owner);

// The live allocation that [p, p + bytes) lies in.
bool find_allocation(uintptr_t p, size_t bytes, Allocation* found);
// Changes whenever an allocation is freed: while it stays, a pointer found valid is valid.
uint64_t free_count();

// CUDA_ERROR_ILLEGAL_ADDRESS and a message if something wrote beside an allocation of the strict device; the fence is
// mended, so that each overrun is told once.
CUresult check_fences();

// While one of these lives, the strict device's memory is accessible. Nests.
class StrictAccess {
public:
    explicit StrictAccess(int device);
    ~StrictAccess();
    StrictAccess(const StrictAccess&) = delete;
    StrictAccess& operator=(const StrictAccess&) = delete;

private:
    bool active_;
};

// What lies at an address that a kernel must not touch, in words.
std::string describe_address(uintptr_t address);

size_t total_memory();
size_t free_memory();
size_t used_memory(int device);
size_t peak_memory(int device);
void reset_peak_memory(int device);

}  // namespace sltt_cpu
