// Device and pinned host memory of the CPU device.
//
// Device 0: anonymous pages, untouched until used.
// Device 1 (strict): each allocation lies between fences and unmapped pages, is filled with NaN, and is accessible only while work
// runs. Its addresses are never given out a second time.
#pragma once
#include <cstddef>
#include <string>

#include "runtime/cuda_api.h"

namespace sltt_cpu {

constexpr int DEVICE_COUNT = 2;
constexpr int FAST_DEVICE = 0;
constexpr int STRICT_DEVICE = 1;

struct Allocation {
    uintptr_t base = 0;  // the caller's pointer
    size_t size = 0;     // the caller's size
    int device = FAST_DEVICE;
    const void* owner = nullptr;  // the context that device memory belongs to
    bool host = false;            // pinned host memory, which the device may use too
    void* map = nullptr;
    size_t map_size = 0;
    bool contains(uintptr_t p, size_t bytes) const { return p >= base && bytes <= size && p - base <= size - bytes; }
};

CUresult allocate_device(int device, const void* owner, size_t bytes, CUdeviceptr* pointer);
CUresult allocate_host(size_t bytes, void** pointer);
// Free what the function of the same name allocated. CUDA_ERROR_INVALID_VALUE for anything else, also for memory freed before.
// CUDA_ERROR_ILLEGAL_ADDRESS where one of its fences was overwritten; it is freed all the same.
CUresult free_device(CUdeviceptr pointer);
CUresult free_host(void* pointer);
// Frees the device memory of a context that ends.
void free_all(const void* owner);

// Finds the live allocation that holds [p, p + bytes).
bool find_allocation(uintptr_t p, size_t bytes, Allocation* found);
// CUDA_SUCCESS if [pointer, pointer + bytes) lies in one live device allocation; else CUDA_ERROR_INVALID_VALUE.
// With bytes = 0 the pointer must be in an allocation or at its end.
CUresult check_device_range(CUdeviceptr pointer, size_t bytes);
// Counts frees: as long as it does not change, a pointer found valid stays valid.
uint64_t free_count();

// CUDA_ERROR_ILLEGAL_ADDRESS and a message where a fence of the strict device was overwritten. The fence is restored, so that each
// overrun is told a single time.
CUresult check_fences();

// Makes the strict device's memory accessible while it lives. Nests.
class StrictAccess {
public:
    explicit StrictAccess(int device);
    ~StrictAccess();
    StrictAccess(const StrictAccess&) = delete;
    StrictAccess& operator=(const StrictAccess&) = delete;

private:
    bool active_;
};

// Describes an address that a kernel must not touch.
std::string describe_address(uintptr_t address);

size_t total_memory();
size_t free_memory();
size_t used_memory(int device);
size_t peak_memory(int device);
void reset_peak_memory(int device);

}  // namespace sltt_cpu
