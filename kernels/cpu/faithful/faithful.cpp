// The faithful mode: each CUDA thread of a block is a fiber on the calling thread, and warps have 32 lanes. Blocks run one after
// another in shuffled order. So do a block's threads, between two points where they wait for each other.
#include "faithful/faithful.h"

#include <signal.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "faithful/faithful_run.h"

// Saves the caller's registers on its stack and its stack pointer in *from, and continues where `to` was saved.
// In the System V ABI a function preserves rbx, rbp and r12 to r15.
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
    // Where it waits, and for what.
    const char* file;
    int line;
    WarpOp op;
    unsigned mask;
    uint64_t value;
    int source;
    uint64_t answer;
};

struct Block {
    const KernelEntry* entry;
    void* const* arguments;
    Dim3 dim;
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
    block->entry->call(block->arguments);
    block->fibers[block->current].state = State::Returned;
    yield();
    abort();  // never resumed
}

void start(Fiber& fiber, char* stack_top) {
    // The layout that sltt_cpu_switch leaves: six registers, then the return address. The ABI puts a function's return address 8 bytes
    // beyond a multiple of 16.
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

// Makes those lanes of the warp ready whose whole group waits at the same call.
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
            complete = other.state == State::AtWarp && other.op == leader.op && other.mask == leader.mask && other.line == leader.line &&
                       other.file == leader.file;
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
        fail("divergent barrier: %d of %d threads wait at __syncthreads (%s:%d), %d at %s:%d with mask 0x%08x", at_barrier, block->threads,
             barrier->file, barrier->line, elsewhere, other->file, other->line, other->mask);
    }
}

// Every thread that has not returned waits at a barrier. Releases them if it is the same one.
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
    for (unsigned char* p = b.entry->shared; p != b.entry->shared_end; ++p) *p = 0xFF;
    for (int t = 0; t < b.threads; ++t) {
        Fiber& f = b.fibers[t];
        Dim3 d = b.dim;
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

// The stacks of one thread's fibers. Below each lies a page that faults.
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

// The signal handler's stack, as a fault may come from a full fiber's stack.
struct SignalStack {
    static constexpr size_t SIZE = 64 * 1024;
    std::vector<char> memory;
    SignalStack() {
        stack_t now;
        if (sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0) return;
        memory.resize(SIZE);
        stack_t alternate = {};
        alternate.ss_sp = memory.data();
        alternate.ss_size = SIZE;
        if (sigaltstack(&alternate, nullptr) != 0) memory.clear();
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

Outcome run(const KernelEntry& entry, Dim3 grid, Dim3 block_dim, void* const* arguments) {
    static thread_local Stacks stacks;
    static thread_local SignalStack signal_stack;
    if (stacks.memory == nullptr) return {Outcome::Kind::OutOfMemory, {}, {}, {}, {}};
    auto state = std::make_unique<Block>();
    state->entry = &entry;
    state->arguments = arguments;
    state->dim = block_dim;
    state->threads = (int)(block_dim.x * block_dim.y * block_dim.z);
    state->stacks = stacks.memory;
    state->random = launch_seed();
    state->failed = false;
    block = state.get();
    position.block_dim = block_dim;
    position.grid_dim = grid;
    // Blocks run in shuffled order, within groups of 2^20 that bound the memory of the permutation.
    uint64_t total = (uint64_t)grid.x * grid.y * grid.z, xy = (uint64_t)grid.x * grid.y;
    constexpr uint64_t GROUP = uint64_t(1) << 20;
    Outcome outcome{Outcome::Kind::Done, {}, {}, {}, {}};
    for (uint64_t first = 0; first < total && outcome.kind == Outcome::Kind::Done; first += GROUP) {
        std::vector<uint64_t> order((size_t)(total - first < GROUP ? total - first : GROUP));
        std::iota(order.begin(), order.end(), first);
        shuffle_order(order.data(), order.size(), state->random);
        for (uint64_t i : order) {
            position.block = {(unsigned)(i % grid.x), (unsigned)(i % xy / grid.x), (unsigned)(i / xy)};
            bool ran = run_guarded([](void*) { run_block(); }, nullptr, &outcome.fault);
            if (ran && !state->failed) continue;
            outcome.kind = ran ? Outcome::Kind::Divergence : Outcome::Kind::Fault;
            outcome.block = position.block;
            outcome.thread = state->fibers[state->current].thread;
            if (ran) outcome.text = state->failure;
            break;
        }
    }
    block = nullptr;
    return outcome;
}

}  // namespace sltt_cpu::faithful
