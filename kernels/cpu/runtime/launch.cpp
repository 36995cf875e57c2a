#include "runtime/launch.h"

#include <omp.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>

#include "faithful/faithful_run.h"
#include "kernel_run.h"
#include "runtime/execution.h"
#include "runtime/memory.h"
#include "runtime/report.h"

// The tables that kernels_tu.cpp's variants fill. Their bounds come from the linker.
#define SLTT_TABLE(variant)                                                                                            \
    extern "C" __attribute__((visibility("hidden"))) const sltt_cpu::KernelEntry* const __start_sltt_##variant[];      \
    extern "C" __attribute__((visibility("hidden"))) const sltt_cpu::KernelEntry* const __stop_sltt_##variant[];
SLTT_TABLE(fast_v2)
SLTT_TABLE(fast_v3)
SLTT_TABLE(fast_v4)
SLTT_TABLE(faithful)

namespace sltt_cpu {

// ---- Tables ----------------------------------------------------------------------------------------------------------

namespace {

using Table = std::unordered_map<std::string, const KernelEntry*>;

Table make_table(const KernelEntry* const* begin, const KernelEntry* const* end) {
    Table table;
    for (auto entry = begin; entry != end; ++entry)
        if (!table.emplace((*entry)->name, *entry).second) report(std::string("two kernels are called ") + (*entry)->name);
    return table;
}

int supported_level() {
    __builtin_cpu_init();
    bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
              __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("lzcnt");
    bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return v4 ? 4 : v3 ? 3 : 2;
}

int level() {
    static const int chosen = [] {
        int best = supported_level();
        const char* text = std::getenv("SLTT_CPU_ISA");
        if (text == nullptr || *text == 0) return best;
        if (text[0] == 'v' && text[1] >= '2' && text[1] <= '4' && text[2] == 0) return text[1] - '0' < best ? text[1] - '0' : best;
        report(std::string("SLTT_CPU_ISA is '") + text + "', not v2, v3 or v4; ignored");
        return best;
    }();
    return chosen;
}

}  // namespace

const char* instruction_set() { return level() == 4 ? "v4" : level() == 3 ? "v3" : "v2"; }

const KernelEntry* find_kernel(int device, const char* name) {
    static const Table* fast = new Table(level() == 4   ? make_table(__start_sltt_fast_v4, __stop_sltt_fast_v4)
                                         : level() == 3 ? make_table(__start_sltt_fast_v3, __stop_sltt_fast_v3)
                                                        : make_table(__start_sltt_fast_v2, __stop_sltt_fast_v2));
    static const Table* faithful = new Table(make_table(__start_sltt_faithful, __stop_sltt_faithful));
    const Table& table = device == STRICT_DEVICE ? *faithful : *fast;
    auto found = table.find(name);
    return found == table.end() ? nullptr : found->second;
}

// ---- Launches --------------------------------------------------------------------------------------------------------

namespace {

// A GPU's limits.
constexpr unsigned MAX_THREADS = 1024, MAX_BLOCK_Z = 64, MAX_GRID_X = 2147483647u, MAX_GRID_YZ = 65535, MAX_SHARED = 48 * 1024;

std::string text_of(Dim3 d) { return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")"; }
std::string text_of(const Launch& launch) {
    return std::string(launch.entry->name) + ", grid " + text_of(launch.grid) + ", block " + text_of(launch.block);
}

// Checks that every pointer among the arguments is null, in memory that the device may touch, or at such memory's end.
CUresult check_pointers(Launch& launch) {
    uint64_t now = free_count();
    if (launch.checked == now) return CUDA_SUCCESS;
    for (int i = 0; i < launch.entry->parameter_count; ++i) {
        if (!launch.entry->parameters[i].pointer) continue;
        uintptr_t p;
        std::memcpy(&p, launch.arguments[i], sizeof p);
        if (p == 0) continue;
        Allocation a;
        if (find_allocation(p, 0, &a) && (a.host || a.device == launch.device)) continue;
        report(text_of(launch) + ": argument " + std::to_string(i) + " is " + describe_address(p));
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    launch.checked = now;
    return CUDA_SUCCESS;
}

struct Blocks {
    const Launch* launch;
    uint64_t begin, end;
};

void run_blocks(void* context) {
    const Blocks& b = *static_cast<const Blocks*>(context);
    const Launch& l = *b.launch;
    position.thread = {0, 0, 0};
    position.block_dim = {1, 1, 1};
    position.grid_dim = l.grid;
    void (*call)(void* const*) = l.entry->call;
    void* const* arguments = l.arguments.data();
    uint64_t xy = (uint64_t)l.grid.x * l.grid.y;
    for (uint64_t i = b.begin; i < b.end; ++i) {
        position.block = {(unsigned)(i % l.grid.x), (unsigned)(i % xy / l.grid.x), (unsigned)(i / xy)};
        call(arguments);
    }
}

// A shorter launch is tried without a team of threads too. It keeps the way that was faster.
constexpr int64_t SHORT_NANOSECONDS = 30000;

int64_t nanoseconds() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

[[noreturn]] void throw_fault(const Fault& fault, const std::string& where) {
    if (fault.signal == SIGFPE) throw DeviceError{CUDA_ERROR_LAUNCH_FAILED, where + ": an integer was divided by zero"};
    throw DeviceError{CUDA_ERROR_ILLEGAL_ADDRESS, where + ": access to " + describe_address(fault.address)};
}

void run_fast(Launch& launch) {
    uint64_t blocks = (uint64_t)launch.grid.x * launch.grid.y * launch.grid.z;
    int threads = thread_count();
    if ((uint64_t)threads > blocks) threads = (int)blocks;
    int failed = 0;
    uintptr_t failed_at = 0;
    auto share = [&](uint64_t begin, uint64_t end) {
        Blocks b = {&launch, begin, end};
        Fault fault;
        if (run_guarded(run_blocks, &b, &fault)) return;
        __atomic_store_n(&failed_at, fault.address, __ATOMIC_RELAXED);
        __atomic_store_n(&failed, fault.signal, __ATOMIC_RELAXED);
    };
    if (threads <= 1 || launch.way == Launch::Way::Direct) {
        share(0, blocks);
    } else if (launch.way == Launch::Way::TryDirect) {
        int64_t start = nanoseconds();
        share(0, blocks);
        launch.way = nanoseconds() - start <= launch.team_nanoseconds ? Launch::Way::Direct : Launch::Way::Team;
    } else {
        int64_t start = nanoseconds();
#pragma omp parallel num_threads(threads)
        {
            uint64_t n = (uint64_t)omp_get_num_threads(), i = (uint64_t)omp_get_thread_num();
            share(blocks * i / n, blocks * (i + 1) / n);
        }
        if (launch.way == Launch::Way::Unknown) {
            launch.team_nanoseconds = nanoseconds() - start;
            launch.way = launch.team_nanoseconds < SHORT_NANOSECONDS ? Launch::Way::TryDirect : Launch::Way::Team;
        }
    }
    if (failed != 0) throw_fault({failed, failed_at}, text_of(launch));
}

void run_faithful(const Launch& launch) {
    using Kind = faithful::Outcome::Kind;
    faithful::Outcome outcome = faithful::run(*launch.entry, launch.grid, launch.block, launch.arguments.data());
    std::string where = std::string(launch.entry->name) + ", block " + text_of(outcome.block);
    switch (outcome.kind) {
        case Kind::Done: return;
        case Kind::OutOfMemory: throw DeviceError{CUDA_ERROR_OUT_OF_MEMORY, "no memory for the stacks of a block's threads"};
        case Kind::Divergence: throw DeviceError{CUDA_ERROR_LAUNCH_FAILED, where + ": " + outcome.text};
        case Kind::Fault: throw_fault(outcome.fault, where + ", thread " + text_of(outcome.thread));
    }
}

}  // namespace

CUresult make_launch(const KernelEntry* entry, int device, Dim3 grid, Dim3 block, unsigned shared_bytes, void* const* arguments,
                     std::shared_ptr<Launch>* launch) {
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || block.x == 0 || block.y == 0 || block.z == 0) return CUDA_ERROR_INVALID_VALUE;
    if (grid.x > MAX_GRID_X || grid.y > MAX_GRID_YZ || grid.z > MAX_GRID_YZ) return CUDA_ERROR_INVALID_VALUE;
    if (block.x > MAX_THREADS || block.y > MAX_THREADS || block.z > MAX_BLOCK_Z) return CUDA_ERROR_INVALID_VALUE;
    if ((uint64_t)block.x * block.y * block.z > MAX_THREADS) return CUDA_ERROR_INVALID_VALUE;
    if (shared_bytes > MAX_SHARED) return CUDA_ERROR_INVALID_VALUE;
    if (arguments == nullptr && entry->parameter_count > 0) return CUDA_ERROR_INVALID_VALUE;
    auto made = std::make_shared<Launch>();
    made->entry = entry;
    made->device = device;
    made->grid = grid;
    made->block = block;
    // Each argument starts at an 8-byte word: none is aligned more strictly.
    size_t words = 0;
    for (int i = 0; i < entry->parameter_count; ++i) words += (entry->parameters[i].size + 7) / 8;
    made->storage.resize(words + 1);
    made->arguments.resize((size_t)entry->parameter_count + 1);
    size_t at = 0;
    for (int i = 0; i < entry->parameter_count; ++i) {
        if (arguments[i] == nullptr) return CUDA_ERROR_INVALID_VALUE;
        std::memcpy(&made->storage[at], arguments[i], entry->parameters[i].size);
        made->arguments[(size_t)i] = &made->storage[at];
        at += (entry->parameters[i].size + 7) / 8;
    }
    CUresult result = check_pointers(*made);
    if (result == CUDA_SUCCESS) *launch = std::move(made);
    return result;
}

void run_launch(Launch& launch) {
    if (check_pointers(launch) != CUDA_SUCCESS)
        throw DeviceError{CUDA_ERROR_ILLEGAL_ADDRESS, text_of(launch) + ": memory was freed before the launch ran"};
    if (launch.device == STRICT_DEVICE)
        run_faithful(launch);
    else
        run_fast(launch);
}

}  // namespace sltt_cpu

// The instruction set that the fast kernels were compiled for: "v2", "v3" or "v4" of x86-64.
SLTT_API const char* sltt_cpu_instruction_set() { return sltt_cpu::instruction_set(); }
