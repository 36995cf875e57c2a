#undef _FORTIFY_SOURCE  // its check of longjmp does not know that a handler may run on another stack
#include "kernel_run.h"

#include <setjmp.h>
#include <signal.h>

#include <mutex>

#include "kernel_table.h"

namespace sltt_cpu {

__attribute__((visibility("hidden"))) __thread Position position;

namespace {

struct Guard {
    sigjmp_buf back;
    uintptr_t address;
};
__thread Guard* guard;  // of the kernel that runs on this thread

struct sigaction old_segv, old_bus, old_fpe;

void handle_fault(int signal, siginfo_t* info, void* context) {
    if (guard != nullptr) {
        // The kernel does not tell an address that no page can have.
        guard->address = info->si_code == SI_KERNEL ? UINTPTR_MAX : reinterpret_cast<uintptr_t>(info->si_addr);
        siglongjmp(guard->back, signal);
    }
    // Not a kernel's fault: the earlier handler decides (the .NET runtime's, or the default action).
    const struct sigaction& old = signal == SIGSEGV ? old_segv : signal == SIGBUS ? old_bus : old_fpe;
    if ((old.sa_flags & SA_SIGINFO) != 0) {
        old.sa_sigaction(signal, info, context);
    } else if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN) {
        old.sa_handler(signal);
    } else {
        sigaction(signal, &old, nullptr);  // the instruction repeats, and the default action ends the process
    }
}

void install_handlers() {
    static std::once_flag installed;
    std::call_once(installed, [] {
        struct sigaction action = {};
        action.sa_sigaction = handle_fault;
        // NODEFER: the handler leaves by a jump, which does not restore the mask.
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        sigemptyset(&action.sa_mask);
        sigaction(SIGSEGV, &action, &old_segv);
        sigaction(SIGBUS, &action, &old_bus);
        sigaction(SIGFPE, &action, &old_fpe);
    });
}

}  // namespace

bool run_guarded(void (*f)(void*), void* context, Fault* fault) {
    install_handlers();
    Guard inner;
    Guard* volatile outer = guard;
    int caught = sigsetjmp(inner.back, 0);
    if (caught == 0) {
        guard = &inner;
        f(context);
        guard = outer;
        return true;
    }
    guard = outer;
    *fault = {caught, inner.address};
    return false;
}

}  // namespace sltt_cpu
