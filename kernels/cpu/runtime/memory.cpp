#include "runtime/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "runtime/report.h"

namespace sltt_cpu {
namespace {

constexpr size_t PAGE = 4096;
constexpr size_t HUGE_PAGE = size_t(2) << 20;
constexpr size_t FENCE = PAGE;                         // bytes on either side of a strict allocation
constexpr size_t HUGE_FROM = size_t(32) << 20;         // smaller allocations gain little from huge pages
constexpr uint16_t FENCE_WORD = 0xFFC5;                // a NaN as half, bfloat16, float and double
constexpr unsigned char POISON = 0xFF;                 // a NaN in the same types
constexpr size_t STRICT_RANGE = size_t(1) << 40;       // addresses of the strict device, none given out twice
constexpr size_t STRICT_LEAD = size_t(16) << 20;  // stays unmapped: what lies far before the first allocation is no memory either
constexpr size_t MAX_FREED = 4096;                     // freed allocations that messages can name

struct Memory {
    std::shared_mutex mutex;
    std::map<uintptr_t, Allocation> live;  // by base
    std::vector<Allocation> freed;
    uint64_t frees = 0;
    size_t used[DEVICE_COUNT] = {}, peak[DEVICE_COUNT] = {};
    uintptr_t strict_begin = 0, strict_next = 0;
    int strict_users = 0;
};

// Never destroyed: streams and finalizers may still ask while the process ends.
Memory& memory() {
    static Memory* m = new Memory;
    return *m;
}

size_t round_up(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

size_t from_file(const char* path, const char* key, size_t unit) {
    FILE* f = std::fopen(path, "r");
    if (f == nullptr) return 0;
    char line[256];
    size_t value = 0, length = std::strlen(key);
    while (std::fgets(line, sizeof line, f) != nullptr)
        if (std::strncmp(line, key, length) == 0) {
            value = std::strtoull(line + length, nullptr, 10) * unit;
            break;
        }
    std::fclose(f);
    return value;
}

// The container's limit where there is one.
size_t memory_limit() {
    size_t limit = from_file("/sys/fs/cgroup/memory.max", "", 1);  // "max" reads as 0
    if (limit == 0) limit = from_file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "", 1);
    return limit;
}

void fill_fence(uintptr_t from, uintptr_t to) {
    for (uintptr_t p = from; p < to; ++p) {
        unsigned char byte = (unsigned char)((p & 1) != 0 ? FENCE_WORD >> 8 : FENCE_WORD & 0xFF);
        *reinterpret_cast<unsigned char*>(p) = byte;
    }
}

// The first and last overwritten byte of a fence.
bool fence_broken(uintptr_t from, uintptr_t to, uintptr_t* first, uintptr_t* last) {
    *first = 0;
    for (uintptr_t p = from; p < to; ++p) {
        unsigned char byte = (unsigned char)((p & 1) != 0 ? FENCE_WORD >> 8 : FENCE_WORD & 0xFF);
        if (*reinterpret_cast<unsigned char*>(p) == byte) continue;
        if (*first == 0) *first = p;
        *last = p;
    }
    return *first != 0;
}

uintptr_t front_fence(const Allocation& a) { return a.base - FENCE; }
uintptr_t back_fence_end(const Allocation& a) { return round_up(a.base + a.size, PAGE) + FENCE; }

std::string name_of(const Allocation& a) {
    char text[96];
    std::snprintf(text, sizeof text, "allocation 0x%zx of %zu bytes", (size_t)a.base, a.size);
    return text;
}

// Both fences; the memory is accessible.
CUresult check_fences_of(const Allocation& a) {
    CUresult result = CUDA_SUCCESS;
    uintptr_t first, last;
    uintptr_t end = a.base + a.size;
    if (fence_broken(front_fence(a), a.base, &first, &last)) {
        report("written before the start of " + name_of(a) + ": bytes -" + std::to_string(a.base - first) + " to -" +
               std::to_string(a.base - last));
        fill_fence(front_fence(a), a.base);
        result = CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    if (fence_broken(end, back_fence_end(a), &first, &last)) {
        report("written past the end of " + name_of(a) + ": bytes " + std::to_string(first - a.base) + " to " +
               std::to_string(last - a.base));
        fill_fence(end, back_fence_end(a));
        result = CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    return result;
}

bool protect(const Allocation& a, int protection) {
    return mprotect(reinterpret_cast<void*>(front_fence(a)), back_fence_end(a) - front_fence(a), protection) == 0;
}

// unmapped page, fence, data, fence up to the end of a page and one more, unmapped page
CUresult map_strict(Memory& m, Allocation& a) {
    if (m.strict_begin == 0) {
        void* range = mmap(nullptr, STRICT_RANGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (range == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
        m.strict_begin = reinterpret_cast<uintptr_t>(range);
        m.strict_next = m.strict_begin + STRICT_LEAD;
    }
    size_t span = PAGE + FENCE + round_up(a.size, PAGE) + FENCE + PAGE;
    if (span > m.strict_begin + STRICT_RANGE - m.strict_next) return CUDA_ERROR_OUT_OF_MEMORY;
    a.map = reinterpret_cast<void*>(m.strict_next);
    a.map_size = span;
    a.base = m.strict_next + PAGE + FENCE;
    if (!protect(a, PROT_READ | PROT_WRITE)) return CUDA_ERROR_OUT_OF_MEMORY;
    m.strict_next += span;
    std::memset(reinterpret_cast<void*>(a.base), POISON, a.size);
    fill_fence(front_fence(a), a.base);
    fill_fence(a.base + a.size, back_fence_end(a));
    if (m.strict_users == 0) protect(a, PROT_NONE);
    return CUDA_SUCCESS;
}

CUresult map_plain(Allocation& a) {
    bool huge = a.size >= HUGE_FROM;
    // Huge pages start at multiples of their size. The bytes before the first one cost addresses, not memory.
    a.map_size = round_up(a.size, PAGE) + (huge ? HUGE_PAGE : 0);
    a.map = mmap(nullptr, a.map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (a.map == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
    a.base = reinterpret_cast<uintptr_t>(a.map);
    if (huge) {
        a.base = round_up(a.base, HUGE_PAGE);
        // Whole huge pages only: a part of one would make more memory resident than the caller asked for.
        size_t whole = a.size / HUGE_PAGE * HUGE_PAGE;
        madvise(reinterpret_cast<void*>(a.base), whole, MADV_HUGEPAGE);
    }
    return CUDA_SUCCESS;
}

// The caller has checked the fences. Strict addresses stay reserved: any access to them is a fault.
void unmap(Memory& m, const Allocation& a) {
    if (!a.host && a.device == STRICT_DEVICE) {
        mmap(a.map, a.map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
        if (m.freed.size() == MAX_FREED) m.freed.erase(m.freed.begin());
        m.freed.push_back(a);
    } else {
        munmap(a.map, a.map_size);
    }
    if (!a.host) m.used[a.device] -= a.size;
    ++m.frees;
}

const Allocation* find_locked(const Memory& m, uintptr_t p, size_t bytes) {
    auto next = m.live.upper_bound(p);
    if (next == m.live.begin()) return nullptr;
    const Allocation& a = std::prev(next)->second;
    return a.contains(p, bytes) ? &a : nullptr;
}

}  // namespace

CUresult allocate_device(int device, const void* owner, size_t bytes, CUdeviceptr* pointer) {
    if (bytes == 0 || pointer == nullptr) return CUDA_ERROR_INVALID_VALUE;
    Memory& m = memory();
    std::unique_lock lock(m.mutex);
    size_t total = total_memory();
    if (bytes > total || m.used[0] + m.used[1] > total - bytes) return CUDA_ERROR_OUT_OF_MEMORY;
    Allocation a;
    a.size = bytes;
    a.device = device;
    a.owner = owner;
    CUresult result = device == STRICT_DEVICE ? map_strict(m, a) : map_plain(a);
    if (result != CUDA_SUCCESS) return result;
    m.live[a.base] = a;
    m.used[device] += bytes;
    m.peak[device] = std::max(m.peak[device], m.used[device]);
    *pointer = a.base;
    return CUDA_SUCCESS;
}

CUresult allocate_host(size_t bytes, void** pointer) {
    if (bytes == 0 || pointer == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (bytes > total_memory()) return CUDA_ERROR_OUT_OF_MEMORY;
    Allocation a;
    a.size = bytes;
    a.host = true;
    CUresult result = map_plain(a);
    if (result != CUDA_SUCCESS) return result;
    Memory& m = memory();
    std::unique_lock lock(m.mutex);
    m.live[a.base] = a;
    *pointer = reinterpret_cast<void*>(a.base);
    return CUDA_SUCCESS;
}

CUresult free_device(CUdeviceptr pointer) {
    if (pointer == 0) return CUDA_SUCCESS;  // as the driver does
    Memory& m = memory();
    Allocation a;
    if (!find_allocation(pointer, 0, &a) || a.base != pointer || a.host) return CUDA_ERROR_INVALID_VALUE;
    StrictAccess access(a.device);
    std::unique_lock lock(m.mutex);
    if (m.live.erase(pointer) == 0) return CUDA_ERROR_INVALID_VALUE;
    CUresult result = a.device == STRICT_DEVICE ? check_fences_of(a) : CUDA_SUCCESS;
    unmap(m, a);
    return result;
}

CUresult free_host(void* pointer) {
    Memory& m = memory();
    std::unique_lock lock(m.mutex);
    auto found = m.live.find(reinterpret_cast<uintptr_t>(pointer));
    if (found == m.live.end() || !found->second.host) return CUDA_ERROR_INVALID_VALUE;
    unmap(m, found->second);
    m.live.erase(found);
    return CUDA_SUCCESS;
}

void free_all(const void* owner) {
    Memory& m = memory();
    std::unique_lock lock(m.mutex);
    for (auto it = m.live.begin(); it != m.live.end();) {
        if (!it->second.host && it->second.owner == owner) {
            unmap(m, it->second);
            it = m.live.erase(it);
        } else {
            ++it;
        }
    }
}

bool find_allocation(uintptr_t p, size_t bytes, Allocation* found) {
    Memory& m = memory();
    std::shared_lock lock(m.mutex);
    const Allocation* a = find_locked(m, p, bytes);
    if (a == nullptr) return false;
    if (found != nullptr) *found = *a;
    return true;
}

uint64_t free_count() {
    Memory& m = memory();
    std::shared_lock lock(m.mutex);
    return m.frees;
}

CUresult check_device_range(CUdeviceptr pointer, size_t bytes) {
    Allocation a;
    return find_allocation(pointer, bytes, &a) && !a.host ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult check_fences() {
    StrictAccess access(STRICT_DEVICE);
    Memory& m = memory();
    std::unique_lock lock(m.mutex);
    CUresult result = CUDA_SUCCESS;
    for (const auto& [base, a] : m.live)
        if (!a.host && a.device == STRICT_DEVICE && check_fences_of(a) != CUDA_SUCCESS) result = CUDA_ERROR_ILLEGAL_ADDRESS;
    return result;
}

StrictAccess::StrictAccess(int device) : active_(device == STRICT_DEVICE) {
    if (!active_) return;
    Memory& m = memory();
    std::unique_lock lock(m.mutex);
    if (m.strict_users++ > 0) return;
    for (const auto& [base, a] : m.live)
        if (!a.host && a.device == STRICT_DEVICE) protect(a, PROT_READ | PROT_WRITE);
}

StrictAccess::~StrictAccess() {
    if (!active_) return;
    Memory& m = memory();
    std::unique_lock lock(m.mutex);
    if (--m.strict_users > 0) return;
    for (const auto& [base, a] : m.live)
        if (!a.host && a.device == STRICT_DEVICE) protect(a, PROT_NONE);
}

std::string describe_address(uintptr_t address) {
    Memory& m = memory();
    std::shared_lock lock(m.mutex);
    if (address == UINTPTR_MAX) return "an address outside the address space";
    char text[64];
    std::snprintf(text, sizeof text, "0x%zx", (size_t)address);
    std::string where = text;
    if (address < PAGE) return where + " (a null pointer)";
    for (auto it = m.freed.rbegin(); it != m.freed.rend(); ++it) {
        uintptr_t map = reinterpret_cast<uintptr_t>(it->map);
        if (address >= map && address < map + it->map_size) return where + " (in freed " + name_of(*it) + ")";
    }
    for (const auto& [base, a] : m.live) {
        uintptr_t map = reinterpret_cast<uintptr_t>(a.map);
        if (address >= map && address < map + a.map_size)
            return where + (address < a.base ? " (before " : address >= a.base + a.size ? " (past " : " (in ") + name_of(a) + ")";
    }
    return where + " (no memory of the device)";
}

size_t total_memory() {
    static const size_t total = [] {
        if (const char* text = std::getenv("SLTT_CPU_MEMORY")) {
            size_t bytes = std::strtoull(text, nullptr, 10);
            if (bytes > 0) return bytes;
            report("SLTT_CPU_MEMORY is not a number of bytes; ignored");
        }
        size_t physical = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE), limit = memory_limit();
        return limit > 0 && limit < physical ? limit : physical;
    }();
    return total;
}

size_t free_memory() {
    size_t used = used_memory(FAST_DEVICE) + used_memory(STRICT_DEVICE), total = total_memory();
    size_t unused = used < total ? total - used : 0;
    if (std::getenv("SLTT_CPU_MEMORY") != nullptr) return unused;
    size_t available = from_file("/proc/meminfo", "MemAvailable:", 1024);
    return available > 0 ? std::min(unused, available) : unused;
}

size_t used_memory(int device) {
    Memory& m = memory();
    std::shared_lock lock(m.mutex);
    return m.used[device];
}

size_t peak_memory(int device) {
    Memory& m = memory();
    std::shared_lock lock(m.mutex);
    return m.peak[device];
}

void reset_peak_memory(int device) {
    Memory& m = memory();
    std::unique_lock lock(m.mutex);
    m.peak[device] = m.used[device];
}

}  // namespace sltt_cpu

using namespace sltt_cpu;

// The largest number of bytes in use since the process started or the peak was reset; 0 for a device that does not exist.
SLTT_API unsigned long long sltt_cpu_peak_memory(int device) { return device >= 0 && device < DEVICE_COUNT ? peak_memory(device) : 0; }
SLTT_API void sltt_cpu_reset_peak_memory(int device) {
    if (device >= 0 && device < DEVICE_COUNT) reset_peak_memory(device);
}
