#include "runtime/execution.h"

#include <omp.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "runtime/memory.h"
#include "runtime/report.h"

namespace sltt_cpu {

int thread_count() {
    static const int count = [] {
        int all = omp_get_max_threads();  // OMP_NUM_THREADS, else the cores this process may use
        const char* text = std::getenv("SLTT_CPU_THREADS");
        if (text == nullptr || *text == 0) return all;
        int limit = std::atoi(text);
        if (limit > 0) return limit;
        report(std::string("SLTT_CPU_THREADS is '") + text + "', not a number of threads; ignored");
        return all;
    }();
    return count;
}

CUresult run_work(int device, const std::function<void()>& work, const char* what) {
    static thread_local bool prepared = false;
    if (!prepared) {
        omp_set_num_threads(thread_count());
        prepared = true;
    }
    StrictAccess access(device);
    try {
        work();
        return CUDA_SUCCESS;
    } catch (const DeviceError& e) {
        report(std::string(what) + ": " + e.message);
        return e.result;
    } catch (const std::bad_alloc&) {
        report(std::string(what) + ": out of memory");
        return CUDA_ERROR_OUT_OF_MEMORY;
    } catch (const std::exception& e) {
        report(std::string(what) + ": " + e.what());
        return CUDA_ERROR_LAUNCH_FAILED;
    }
}

namespace {
constexpr size_t PARALLEL_FROM = size_t(1) << 20;  // below, starting threads costs more than it saves

// f(begin, end) over [0, bytes) in shares cut at cache lines.
template <class F> void in_shares(size_t bytes, F f) {
    int threads = bytes < PARALLEL_FROM ? 1 : thread_count();
    if (threads == 1) {
        f(size_t(0), bytes);
        return;
    }
#pragma omp parallel num_threads(threads)
    {
        size_t n = (size_t)omp_get_num_threads(), i = (size_t)omp_get_thread_num(), lines = (bytes + 63) / 64;
        size_t begin = lines * i / n * 64, end = lines * (i + 1) / n * 64;
        if (end > bytes) end = bytes;
        if (begin < end) f(begin, end);
    }
}
}  // namespace

void copy_bytes(void* to, const void* from, size_t bytes) {
    char* t = static_cast<char*>(to);
    const char* s = static_cast<const char*>(from);
    if (t == s) return;
    bool apart = t + bytes <= s || s + bytes <= t;
    if (!apart) {
        std::memmove(to, from, bytes);
        return;
    }
    in_shares(bytes, [=](size_t begin, size_t end) { std::memcpy(t + begin, s + begin, end - begin); });
}

void fill_bytes(void* to, const void* pattern, size_t pattern_bytes, size_t count) {
    char* t = static_cast<char*>(to);
    unsigned char repeated[64];
    bool same = true;
    for (size_t i = 0; i < 64; ++i) {
        repeated[i] = static_cast<const unsigned char*>(pattern)[i % pattern_bytes];
        same = same && repeated[i] == repeated[0];
    }
    in_shares(pattern_bytes * count, [&](size_t begin, size_t end) {
        if (same) {
            std::memset(t + begin, repeated[0], end - begin);
            return;
        }
        for (size_t p = begin; p < end; p += 64) std::memcpy(t + p, repeated, end - p < 64 ? end - p : 64);
    });
}

}  // namespace sltt_cpu

// Threads that the device works with.
SLTT_API int sltt_cpu_threads() { return sltt_cpu::thread_count(); }
