// The decisions that are made, and the memory that is allocated, before a run, from its purpose.
#pragma once

#include "crew.hpp"
#include "groups.hpp"
#include "matrices.hpp"
#include "workspace.hpp"

namespace chainrule::CHAINRULE_ISA {

// The purpose of a run.
struct Purpose {
    long batch;       // examples per batch of this run
    long usual_batch; // the training's batch size, which alone determines the panels
    bool gradients = false;
    bool stepping = false; // updates parameters
    bool summed = false;   // gradients are summed over ranks before an update
    bool clipped = false;  // needs the norm of the whole gradient before an update
    bool costs = false;
    bool penalties = false;
    bool orthogonal = false; // steps of hidden matrices are orthogonal, O11
};

// How hidden matrices are orthogonalised: in which other precision, if any, and with which ε.
template <typename T> struct Orthogonalisation {
    const Orthogonaliser<T> *faster = nullptr;
    double epsilon = 0;
};

template <typename T, int BYTES, typename Kinds> struct Preparation {
    using W = Workspace<T, BYTES>;
    static constexpr long chunk = W::chunk;
    static constexpr long most_together = 8;

    Purpose purpose{};
    W ws;
    Groups groups;
    Matrices<T> matrices;          // those whose steps are orthogonal
    double *panel_costs = nullptr; // one per panel of the batch; `ws` may hold fewer panels
    long together = 1;             // panels that go through a layer together
    bool segmented = false;        // a layer needs statistics of the whole batch
    // Whether the whole gradient is computed before the first update, instead of updating each
    // group as soon as its gradient is known. Clipping and sums over ranks need this, and so does a
    // batch that goes through in several parts. A long step does it so that it can be abandoned
    // before it changes anything.
    bool whole_gradient = false;
    T *gradient = nullptr; // the whole gradient, if it is needed
    // Whether a gradient is the sum of two, over the first and the second half of the batch's
    // panels. Two threads then take one half each through both phases, and each reads activations
    // that it has made itself; what they exchange are gradients. This pays where parameters are few
    // beside activations. Shapes alone decide: it determines the order of additions.
    bool halved = false;
    T *halves[2] = {};     // gradients of all groups, if there are two threads
    long spare = 0;        // offset of the second half's gradient in an arena
    bool measured = false; // the number of threads may change between steps

    Preparation() = default;
    Preparation(const Preparation &) = delete;
    ~Preparation() {
        std::free(panel_costs);
        std::free(arenas_);
        std::free(halves[0]);
        std::free(own_gradient_);
    }

    // `given`: the caller's array for the gradient, or nullptr. Returns false if there is not
    // enough memory.
    bool prepare(const Network &net, const Purpose &wanted, T *given, Crew &crew,
                 const Control &control, const Orthogonalisation<T> &of = {}) {
        purpose = wanted;
        for (int l = 0; purpose.stepping && l < net.count; ++l)
            segmented |= Kinds::whole_batch(net.layers[l]);
        if (!ws.template prepare<Kinds>(net, purpose.batch, purpose.usual_batch,
                                        most_panels(net, control), purpose.gradients))
            return false;
        if ((purpose.costs || purpose.gradients) &&
            !(panel_costs = allocate<double>(larger(divided_up(purpose.batch, ws.panel_size), 1))))
            return false;
        if ((purpose.gradients || purpose.penalties) &&
            !groups.template prepare<Kinds>(net, purpose.usual_batch, 2 * chunk))
            return false;
        const double work = Kinds::pass_work(net, purpose.batch) +
                            (purpose.gradients ? Kinds::table_work(net) : 0.0) +
                            (purpose.orthogonal ? Matrices<T>::work(net) : 0.0);
        measured = control.choice && control.threads < -1 && purpose.stepping &&
                   work > least_measured && work < most_measured;
        first_threads = chosen_threads(work, control);
        if (!crew.engage(measured ? -control.threads : first_threads)) return false;
        if (purpose.orthogonal &&
            !matrices.prepare(net, of.faster, of.epsilon, crew.most_threads()))
            return false;
        // Several panels go through a wide layer together, so that its weights, which do not fit
        // into the cache, are read once for all of them.
        const bool wide = Kinds::shared_weights(net) > 1L << 16;
        const long most = crew.most_threads();
        if (wide && purpose.gradients) {
            together = smaller(most_together, divided_up(ws.panels, most));
        } else if (wide && Kinds::copies) {
            together = larger(1, smaller(most_together, ws.panels / most));
        }
        if (!purpose.gradients) return true;
        whole_gradient = purpose.clipped || purpose.summed ||
                         purpose.batch > ws.panels * ws.panel_size ||
                         work > (Kinds::copies ? 1e11 : 2e9);
        gradient = given;
        if (whole_gradient && !given) gradient = own_gradient_ = allocate<T>(net.parameters);
        halved = in_halves(net);
        spare = rounded_up(groups.largest() + 2 * chunk, 64);
        arena_stride_ = halved ? 2 * spare : spare;
        arenas_ = allocate<T>(arena_stride_ * crew.most_threads());
        if (halved && crew.most_threads() > 1) {
            halves[0] = allocate<T>(2 * groups.elements());
            if (!halves[0]) return false;
            halves[1] = halves[0] + groups.elements();
        }
        return arenas_ && (gradient || !whole_gradient) && groups.share(crew.most_threads());
    }

    int first_threads = 1; // the number to begin with

    // A thread's scratch memory for the gradient of one group, or two.
    T *arena(int thread) const { return arenas_ + thread * arena_stride_; }

  private:
    // In multiplications: shorter steps have one thread, and longer ones have enough panels and
    // groups for as many as there are.
    static constexpr double least_measured = 1e6, most_measured = 1e9;

    bool in_halves(const Network &net) const {
        long activations = net.layers[0].n_in;
        for (int l = 0; l < net.count; ++l) {
            activations += net.layers[l].n_out;
            if (Kinds::whole_batch(net.layers[l])) return false;
        }
        return purpose.usual_batch > ws.panel_size &&
               purpose.usual_batch <= most_examples(net) / chunk * chunk &&
               Kinds::pass_work(net, purpose.usual_batch) > 2e6 &&
               net.parameters * 2 <= activations * purpose.usual_batch;
    }

    // How many examples' arrays may be in memory: a longer batch goes through in parts of whole
    // panels.
    long most_examples(const Network &net) const {
        long memory_limit = 64L << 20;
        // Parts would need the whole gradient, and each would read and write it: with fast products
        // that takes longer than they do. What it would take is better spent on longer parts.
        if (Kinds::copies) memory_limit += net.parameters * long(sizeof(T));
        long elements = 0; // per example
        for (int l = 0; l <= net.count; ++l)
            elements += Kinds::elements(net, l);
        return memory_limit / (elements * long(sizeof(T)));
    }

    long most_panels(const Network &net, const Control &control) const {
        // Each panel needs the sums over all others, so the whole batch must be in memory.
        if (segmented) return 1L << 40;
        if (!purpose.gradients) {
            const long threads = larger(1, larger(control.threads, -control.threads));
            return Kinds::copies ? threads * most_together : threads;
        }
        return larger(1, most_examples(net) / chunk);
    }

    int chosen_threads(double work, const Control &control) const {
        // A positive number is the user's, who gets as many threads; otherwise short runs have one.
        int threads = control.threads > 0     ? control.threads
                      : work < W::thread_work ? 1
                                              : -control.threads;
        if (!purpose.gradients) threads = static_cast<int>(smaller(threads, ws.panels));
        return threads < 1 ? 1 : threads;
    }

    T *arenas_ = nullptr, *own_gradient_ = nullptr;
    long arena_stride_ = 0;
};

} // namespace chainrule::CHAINRULE_ISA
