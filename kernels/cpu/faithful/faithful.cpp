// The faithful mode: each CUDA thread of a block is a fiber on the calling thread, warps have 32 lanes, blocks run one
// after another in shuffled order, and so do the threads between two points where they wait for each other.
#include "faithful.h"

#include <signal.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "../launch.h"
#include "../memory.h"
#include "../stream.h"

// Shared memory of all faithful kernels: bounds from the linker.
extern "C" __attribute__((visibility("hidden"), weak)) unsigned char __start_sltt_shared[];
extern "C" __attribute__((visibility("hidden"), weak)) unsigned char __stop_sltt_shared[];

// Saves the caller's registers on its stack and its stack pointer in *from, and goes on where `to` was saved.
// System V ABI: rbx, rbp, r12 to r15 are the callee's to keep.
extern "C" __attribute__((visibility("hidden"))) void sltt_cpu_switch(void** from, void* to);
asm(R"(
.text
.hidden sltt_cpu_switch
.globl sltt_cpu_switch
.type sltt_cpu_switch, @function
sltt_cpu_switch:
    endbr64
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size sltt_cpu_switch, .-sltt_cpu_switch
)");

namespace sltt_cpu::faithful {
namespace {

constexpr int WARP = 32;
constexpr int MAX_THREADS = 1024;
constexpr size_t STACK = 128 * 1024, GUARD = 4096;
constexpr uint64_t POISON = UINT64_MAX;  // a NaN in every type

enum class State { Ready, AtBarrier, AtWarp, Returned };

struct Fiber {
    void* stack_pointer;
    State state;
    Dim3 thread;
    // What it waits for.
    const char* file;
    int line;
    WarpOp op;
    unsigned mask;
    uint64_t value;
    int source;
    uint64_t answer;
};

struct Block {
    const Launch* launch;
    Fiber fibers[MAX_THREADS];
    int threads, live, current;
    int order[MAX_THREADS];
    void* scheduler;  // its stack pointer
    char* stacks;
    uint64_t random;
    bool failed;
    char failure[512];
};
__thread Block* block;

// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
uint64_t next_random(uint64_t& state) {
    uint64_t z = (state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
template <class T> void shuffle_order(T* items, size_t n, uint64_t& random) {
    for (size_t i = n; i > 1; --i) {
        size_t j = next_random(random) % i;
        T t = items[i - 1];
        items[i - 1] = items[j];
        items[j] = t;
    }
}

void yield() { sltt_cpu_switch(&block->fibers[block->current].stack_pointer, block->scheduler); }

void fiber_main() {
    block->launch->entry->call(block->launch->arguments.data());
    block->fibers[block->current].state = State::Returned;
    yield();
    abort();  // never resumed
}

void start(Fiber& fiber, char* stack_top) {
    // As sltt_cpu_switch leaves a stack: six registers, then where to go on. A function finds its return address at a
    // stack pointer that is 8 beyond a multiple of 16.
    void** sp = reinterpret_cast<void**>(stack_top) - 2;
    sp[0] = reinterpret_cast<void*>(&fiber_main);
    sp[1] = nullptr;
    for (int i = 1; i <= 6; ++i) sp[-i] = nullptr;
    fiber.stack_pointer = sp - 6;
    fiber.state = State::Ready;
}

template <class... A> void fail(const char* format, A... arguments) {
    if (block->failed) return;
    block->failed = true;
    std::snprintf(block->failure, sizeof block->failure, format, arguments...);
}

// Lanes of the warp that starts at thread `first` and have not returned.
unsigned live_lanes(int first) {
    unsigned lanes = 0;
    for (int l = 0; l < WARP && first + l < block->threads; ++l)
        if (block->fibers[first + l].state != State::Returned) lanes |= 1u << l;
    return lanes;
}

// Lets go on those lanes of the warp whose whole group has come.
void resolve_warp(int first) {
    unsigned live = live_lanes(first);
    for (int l = 0; l < WARP && first + l < block->threads; ++l) {
        Fiber& leader = block->fibers[first + l];
        if (leader.state != State::AtWarp) continue;
        unsigned group = leader.mask & live;
        bool complete = true;
        for (int m = 0; m < WARP && complete; ++m) {
            if ((group >> m & 1) == 0) continue;
            const Fiber& other = block->fibers[first + m];
            complete = other.state == State::AtWarp && other.op == leader.op && other.mask == leader.mask && other.line == leader.line && other.file == leader.file;
        }
        if (!complete) continue;
        uint64_t ballot = 0;
        for (int m = 0; m < WARP; ++m)
            if ((group >> m & 1) != 0 && block->fibers[first + m].value != 0) ballot |= uint64_t(1) << m;
        for (int m = 0; m < WARP; ++m) {
            if ((group >> m & 1) == 0) continue;
            Fiber& lane = block->fibers[first + m];
            bool readable = lane.source >= 0 && lane.source < WARP && (group >> lane.source & 1) != 0;
            lane.answer = lane.op == WarpOp::Shuffle ? (readable ? block->fibers[first + lane.source].value : POISON) : ballot;
            lane.state = State::Ready;
        }
    }
}

void explain_deadlock() {
    const Fiber *barrier = nullptr, *other = nullptr;
    int at_barrier = 0, elsewhere = 0;
    for (int t = 0; t < block->threads; ++t) {
        const Fiber& f = block->fibers[t];
        if (f.state == State::AtBarrier) {
            ++at_barrier;
            if (barrier == nullptr) barrier = &f;
        } else if (f.state == State::AtWarp) {
            ++elsewhere;
            if (other == nullptr) other = &f;
        }
    }
    if (barrier == nullptr) {
        fail("%d threads wait at %s:%d for lanes of mask 0x%08x that do not come", elsewhere, other->file, other->line, other->mask);
    } else {
        fail("divergent barrier: %d of %d threads wait at __syncthreads (%s:%d), %d at %s:%d with mask 0x%08x", at_barrier, block->threads, barrier->file,
             barrier->line, elsewhere, other->file, other->line, other->mask);
    }
}

// Every thread that has not returned waits at a barrier: the same one?
void release_barrier() {
    const Fiber* first = nullptr;
    for (int t = 0; t < block->threads; ++t) {
        const Fiber& f = block->fibers[t];
        if (f.state != State::AtBarrier) continue;
        if (first == nullptr) first = &f;
        if (f.line != first->line || f.file != first->file) {
            fail("divergent barrier: threads wait at __syncthreads in %s:%d and in %s:%d", first->file, first->line, f.file, f.line);
            return;
        }
    }
    for (int t = 0; t < block->threads; ++t)
        if (block->fibers[t].state == State::AtBarrier) block->fibers[t].state = State::Ready;
}

void run_block() {
    Block& b = *block;
    for (unsigned char* p = __start_sltt_shared; p != __stop_sltt_shared; ++p) *p = 0xFF;
    for (int t = 0; t < b.threads; ++t) {
        Fiber& f = b.fibers[t];
        Dim3 d = b.launch->block;
        f.thread = {(unsigned)t % d.x, (unsigned)t / d.x % d.y, (unsigned)t / (d.x * d.y)};
        start(f, b.stacks + (size_t)(t + 1) * STACK);
        b.order[t] = t;
    }
    b.live = b.threads;
    while (b.live > 0 && !b.failed) {
        shuffle_order(b.order, (size_t)b.threads, b.random);
        bool progress = false;
        for (int i = 0; i < b.threads && !b.failed; ++i) {
            int t = b.order[i];
            Fiber& f = b.fibers[t];
            if (f.state != State::Ready) continue;
            progress = true;
            b.current = t;
            position.thread = f.thread;
            sltt_cpu_switch(&b.scheduler, f.stack_pointer);
            if (f.state == State::Returned) --b.live;
            if (f.state == State::Returned || f.state == State::AtWarp) resolve_warp(t / WARP * WARP);
        }
        if (progress || b.failed || b.live == 0) continue;
        int at_barrier = 0;
        for (int t = 0; t < b.threads; ++t) at_barrier += b.fibers[t].state == State::AtBarrier;
        if (at_barrier == b.live) release_barrier();
        else explain_deadlock();
    }
}

// Stacks of one thread's fibers, each above a page that faults.
struct Stacks {
    char* memory = nullptr;
    Stacks() {
        void* p = mmap(nullptr, MAX_THREADS * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) return;
        memory = static_cast<char*>(p);
        for (int t = 0; t < MAX_THREADS; ++t) mprotect(memory + (size_t)t * STACK, GUARD, PROT_NONE);
    }
    ~Stacks() {
        if (memory != nullptr) munmap(memory, MAX_THREADS * STACK);
    }
};

// A fault on a fiber's stack needs another one for its handler.
struct SignalStack {
    static constexpr size_t SIZE = 64 * 1024;
    std::vector<char> memory;
    SignalStack() {
        stack_t now;
        if (sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0) return;
        memory.resize(SIZE);
        stack_t mine = {};
        mine.ss_sp = memory.data();
        mine.ss_size = SIZE;
        if (sigaltstack(&mine, nullptr) != 0) memory.clear();
    }
    ~SignalStack() {
        if (memory.empty()) return;
        stack_t off = {};
        off.ss_flags = SS_DISABLE;
        sigaltstack(&off, nullptr);
    }
};

uint64_t launch_seed() {
    static const uint64_t seed = [] {
        const char* set = std::getenv("SLTT_CPU_SEED");
        return set == nullptr ? uint64_t(1) : std::strtoull(set, nullptr, 10);
    }();
    static std::atomic<uint64_t> launches{0};
    return seed * 0x9E3779B97F4A7C15u + launches++;
}

}  // namespace

int lane() { return block->current % WARP; }
unsigned active_mask() { return live_lanes(block->current / WARP * WARP); }

void barrier(const char* file, int line) {
    Fiber& f = block->fibers[block->current];
    f.file = file;
    f.line = line;
    f.state = State::AtBarrier;
    yield();
}

uint64_t warp(WarpOp op, unsigned mask, uint64_t value, int source, const char* file, int line) {
    Fiber& f = block->fibers[block->current];
    if ((mask >> lane() & 1) == 0) fail("lane %d calls with mask 0x%08x, which does not name it (%s:%d)", lane(), mask, file, line);
    f.file = file;
    f.line = line;
    f.op = op;
    f.mask = mask;
    f.value = value;
    f.source = source;
    f.state = State::AtWarp;
    yield();
    return f.answer;
}

void run(const Launch& launch) {
    static thread_local Stacks stacks;
    static thread_local SignalStack signal_stack;
    if (stacks.memory == nullptr) throw DeviceError{CUDA_ERROR_OUT_OF_MEMORY, "no memory for the stacks of a block's threads"};
    auto state = std::make_unique<Block>();
    state->launch = &launch;
    state->threads = (int)(launch.block.x * launch.block.y * launch.block.z);
    state->stacks = stacks.memory;
    state->random = launch_seed();
    state->failed = false;
    block = state.get();
    position.block_dim = launch.block;
    position.grid_dim = launch.grid;
    // Blocks in shuffled order. Above 2^20 of them a full permutation would cost more memory than it is worth: they are
    // shuffled within runs of 2^20.
    uint64_t total = (uint64_t)launch.grid.x * launch.grid.y * launch.grid.z, xy = (uint64_t)launch.grid.x * launch.grid.y;
    constexpr uint64_t RUN = uint64_t(1) << 20;
    std::string where;
    CUresult result = CUDA_SUCCESS;
    for (uint64_t first = 0; first < total && result == CUDA_SUCCESS; first += RUN) {
        std::vector<uint64_t> order((size_t)(total - first < RUN ? total - first : RUN));
        std::iota(order.begin(), order.end(), first);
        shuffle_order(order.data(), order.size(), state->random);
        for (uint64_t i : order) {
            position.block = {(unsigned)(i % launch.grid.x), (unsigned)(i % xy / launch.grid.x), (unsigned)(i / xy)};
            int signal = 0;
            uintptr_t address = 0;
            bool ran = run_guarded([](void*) { run_block(); }, nullptr, &signal, &address);
            if (ran && !state->failed) continue;
            Dim3 b = position.block, t = state->fibers[state->current].thread;
            where = std::string(launch.entry->name) + ", block (" + std::to_string(b.x) + "," + std::to_string(b.y) + "," + std::to_string(b.z) + ")";
            if (ran) {
                where += std::string(": ") + state->failure;
                result = CUDA_ERROR_LAUNCH_FAILED;
            } else {
                where += ", thread (" + std::to_string(t.x) + "," + std::to_string(t.y) + "," + std::to_string(t.z) + ")";
                where += signal == SIGFPE ? ": an integer was divided by zero" : ": access to " + describe_address(address);
                result = signal == SIGFPE ? CUDA_ERROR_LAUNCH_FAILED : CUDA_ERROR_ILLEGAL_ADDRESS;
            }
            break;
        }
    }
    block = nullptr;
    if (result != CUDA_SUCCESS) throw DeviceError{result, where};
}

}  // namespace sltt_cpu::faithful
