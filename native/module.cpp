// The bindings: the only C++ file that uses Python's API. It converts Python's arguments to the
// core's own types (checked.hpp, which checks them), and releases the GIL while a kernel runs.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#include <numpy/arrayobject.h>
#include <numpy/random/bitgen.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "checked.hpp"
#include "cpu.hpp"
#include "dispatch.hpp"
#include "finite.hpp"
#include "order.hpp"
#include "thread_choice.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace chainrule {

namespace {

template <typename T> using Vector = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <typename T> using Matrix = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <typename T> using In = Vector<const T>;
template <typename T> using Rows = Matrix<const T>;

// Arguments that belong together: named tuples of chainrule.engines, or plain tuples.
using Chosen = std::tuple<std::string, std::map<std::string, double>>;
using BlockOf = std::tuple<long, long, long, std::string, double, long>;
using LayerOf = std::tuple<std::string, int, int, Chosen,
                           std::map<std::string, std::vector<double>>, std::vector<BlockOf>>;
using HeadOf = std::tuple<int, Chosen, Chosen, double>;
template <typename T>
using ExamplesOf =
    std::tuple<Rows<T>, std::variant<Rows<T>, In<std::int32_t>>, std::optional<In<T>>>;
using OptimizerOf = std::tuple<std::string, std::map<std::string, double>, std::int64_t>;
using ObjectiveOf = std::tuple<double, double, bool, double>;
using RuleOf = std::tuple<double, double, double, long, double>;
template <typename T> using RanksOf = std::tuple<int, int, long, Vector<T>, nb::callable>;
using RecordsOf = std::tuple<Vector<double>, Vector<double>, std::optional<Vector<double>>>;

template <typename T> Array<T> array(const Vector<T> &vector) {
    return {vector.data(), long(vector.shape(0))};
}
template <typename T> Array<T> array(const Matrix<T> &matrix) {
    return {matrix.data(), long(matrix.shape(0)), long(matrix.shape(1))};
}

template <typename... Of> Named named(const std::tuple<Of...> &chosen) {
    return {std::get<0>(chosen), std::get<1>(chosen)};
}

std::vector<NamedLayer> layers_from(const std::vector<LayerOf> &layers) {
    std::vector<NamedLayer> result;
    for (const auto &[kind, n_in, n_out, activation, settings, blocks] : layers) {
        NamedLayer layer{kind, n_in, n_out, named(activation), settings, {}};
        for (const auto &[offset, rows, columns, group, rate, hidden] : blocks)
            layer.blocks.push_back({offset, rows, columns, group, rate, hidden});
        result.push_back(std::move(layer));
    }
    return result;
}

std::vector<NamedHead> heads_from(const std::vector<HeadOf> &heads) {
    std::vector<NamedHead> result;
    for (const auto &[units, activation, cost, weight] : heads)
        result.push_back({units, named(activation), named(cost), weight});
    return result;
}

Objective objective_from(const ObjectiveOf &of) {
    const auto &[l1, l2, shared, max_norm] = of;
    return {l1, l2, shared, max_norm};
}

std::optional<LossRule> rule_from(const std::optional<RuleOf> &of) {
    if (!of) return std::nullopt;
    const auto &[best, tolerance, patience, stale, outputs] = *of;
    return LossRule{best, tolerance, patience, stale, outputs};
}

void require(bool fits, const char *what) {
    if (!fits) throw std::invalid_argument(std::string("chainrule._native: ") + what);
}

// More threads would only wait for each other, and a system may run out of them. The same limit is
// in native.py.
int most_threads() {
    return std::max(64, core_count());
}

// Asks Python for pending signals (Ctrl-C) from inside a long computation.
bool signal_pending(void *context) {
    nb::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() == 0) return false;
    auto *error = static_cast<std::optional<nb::python_error> *>(context);
    error->emplace(); // takes the error over
    return true;
}

// Sums the message of a training over the ranks, by a function of Python.
struct Summation {
    const nb::callable &sum;
    std::optional<nb::python_error> &error;

    static bool run(void *context) {
        nb::gil_scoped_acquire gil;
        auto *own = static_cast<Summation *>(context);
        try {
            own->sum();
            return true;
        } catch (nb::python_error &raised) {
            own->error.emplace(std::move(raised));
            return false;
        }
    }
};

class BoundPlan {
  public:
    BoundPlan(const std::vector<LayerOf> &layers, const std::vector<HeadOf> &heads, bool fused,
              int threads)
        : plan_(layers_from(layers), heads_from(heads), fused), threads_(threads) {}

    template <typename T>
    long train(Vector<T> parameters, Matrix<T> slots, const ExamplesOf<T> &examples,
               Rows<std::int32_t> order, In<double> learning_rates, const RecordsOf &records,
               const OptimizerOf &optimizer, const ObjectiveOf &objective, long batch_size,
               std::uint64_t key, int threads, const std::string &precision,
               std::optional<In<double>> shares, const std::optional<RuleOf> &of_rule,
               const std::optional<RanksOf<T>> &of_ranks) const {
        const auto &[costs, gradient_norms, penalties] = records;
        TrainingArrays<T> arrays{array(parameters), array(slots), array(learning_rates),
                                 array(costs), array(gradient_norms)};
        if (penalties) arrays.penalties = array(*penalties);
        if (shares) arrays.shares = array(*shares);
        const Examples<T> given = examples_from(examples, array(order));
        const std::optional<LossRule> rule = rule_from(of_rule);
        std::optional<nb::python_error> failure;
        std::optional<Summation> summation;
        Ranks<T> ranks{};
        if (of_ranks) {
            const auto &[rank, size, of_all, message, sum] = *of_ranks;
            plan_.check_ranks(rank, size, long(message.shape(0)));
            summation.emplace(Summation{sum, failure});
            ranks = {rank, size, of_all, message.data(), Summation::run, &*summation};
        }
        const Training<T> training = plan_.training(
            arrays, given, named(optimizer), std::get<2>(optimizer), batch_size,
            objective_from(objective), key, rule ? &*rule : nullptr, of_ranks ? &ranks : nullptr);
        const Kernels<T> &chosen = kernels<T>(precision_named(precision));
        ThreadChoice &choice = thread_choices_[{&chosen, batch_size}];
        const long finished = interruptible(
            threads,
            [&](const Control &control) {
                return checked_memory(
                    chosen.train(plan_.network(), parameters.data(), given, training, control));
            },
            &choice);
        if (failure) throw std::move(*failure);
        return finished;
    }

    template <typename T>
    double loss(In<T> parameters, const ExamplesOf<T> &examples, const ObjectiveOf &objective,
                std::optional<Vector<T>> gradient, int threads,
                const std::string &precision) const {
        const Examples<T> given = examples_from(examples, std::nullopt);
        plan_.check_parameters(long(parameters.shape(0)));
        require(!gradient || gradient->shape(0) == parameters.shape(0), "gradient does not fit");
        Precision own = precision_named(precision);
        if (own == Precision::mixed && !gradient) own = Precision::full;
        const Kernels<T> &chosen = kernels<T>(own);
        return interruptible(threads, [&](const Control &control) {
            bool stopped = false;
            return checked_memory(
                chosen.loss(plan_.network(), parameters.data(), given, objective_from(objective),
                            gradient ? gradient->data() : nullptr, control, &stopped));
        });
    }

    template <typename T>
    void forward(In<T> parameters, Rows<T> X, Matrix<T> out, int threads,
                 const std::string &precision) const {
        plan_.check_parameters(long(parameters.shape(0)));
        plan_.check_outputs(array(X), array(out));
        run_forward(parameters.data(), X.data(), long(X.shape(0)), out.data(), threads,
                    precision_named(precision));
    }

    // Outputs for X, or None if X or the parameters are not in the engines' format: exact type,
    // C-ordered, finite, of the network's width, with all codes in their tables. The caller then
    // converts them, or reports what is wrong.
    nb::object predict(nb::handle parameters, nb::handle X, const std::string &precision) const {
        const Precision own = precision_named(precision);
        if (!PyArray_CheckExact(parameters.ptr()) || !PyArray_CheckExact(X.ptr()))
            return nb::none();
        auto *theta = reinterpret_cast<PyArrayObject *>(parameters.ptr());
        auto *rows = reinterpret_cast<PyArrayObject *>(X.ptr());
        const int type = PyArray_TYPE(theta);
        if (PyArray_NDIM(theta) != 1 || PyArray_DIM(theta, 0) != plan_.network().parameters ||
            PyArray_NDIM(rows) != 2 || PyArray_DIM(rows, 0) < 1 ||
            PyArray_DIM(rows, 1) != plan_.n_in() || PyArray_TYPE(rows) != type ||
            !PyArray_ISCARRAY_RO(theta) || !PyArray_ISCARRAY_RO(rows))
            return nb::none();
        if (type != NPY_FLOAT && type != NPY_DOUBLE) return nb::none();
        npy_intp shape[2] = {PyArray_DIM(rows, 0), plan_.n_out()};
        nb::object out = nb::steal(PyArray_EMPTY(2, shape, type, 0));
        if (!out.is_valid()) throw nb::python_error();
        void *to = PyArray_DATA(reinterpret_cast<PyArrayObject *>(out.ptr()));
        const bool finite = type == NPY_FLOAT ? predict_to<float>(theta, rows, to, own)
                                              : predict_to<double>(theta, rows, to, own);
        return finite ? out : nb::none();
    }

  private:
    template <typename T>
    Examples<T> examples_from(const ExamplesOf<T> &of,
                              std::optional<Array<const std::int32_t>> order) const {
        const auto &[X, Y, weights] = of;
        std::optional<Array<const T>> values, of_examples;
        std::optional<Array<const std::int32_t>> classes;
        if (const auto *rows = std::get_if<Rows<T>>(&Y)) values = array(*rows);
        if (const auto *labels = std::get_if<In<std::int32_t>>(&Y)) classes = array(*labels);
        if (weights) of_examples = array(*weights);
        return plan_.examples<T>(array(X), values, classes, of_examples, order);
    }

    template <typename T>
    bool predict_to(PyArrayObject *theta, PyArrayObject *rows, void *out,
                    Precision precision) const {
        const T *X = static_cast<const T *>(PyArray_DATA(rows));
        const long m = long(PyArray_DIM(rows, 0));
        return plan_.readable(X, m) && run_forward(static_cast<const T *>(PyArray_DATA(theta)), X,
                                                   m, static_cast<T *>(out), threads_, precision);
    }

    // Returns false if X is not finite.
    template <typename T>
    bool run_forward(const T *parameters, const T *X, long m, T *out, int threads,
                     Precision precision) const {
        // Only "split" is for predictions, too.
        const Kernels<T> &chosen =
            kernels<T>(precision == Precision::split ? precision : Precision::full);
        // Too short to release the GIL, or to be interrupted.
        const bool brief = double(m) * double(plan_.weights()) < 1e5;
        Outcome outcome;
        if (brief) {
            outcome = chosen.forward(plan_.network(), parameters, X, m, out, {1, nullptr, nullptr});
        } else {
            outcome = interruptible(threads, [&](const Control &control) {
                return chosen.forward(plan_.network(), parameters, X, m, out, control);
            });
        }
        if (outcome == Outcome::out_of_memory) throw std::bad_alloc();
        return outcome != Outcome::not_finite;
    }

    // −1 stands for out of memory: neither a count nor J is ever negative.
    template <typename R> static R checked_memory(R result) {
        if (result == R(-1)) throw std::bad_alloc();
        return result;
    }

    // Runs without the GIL; an exception from a signal handler is raised afterwards.
    template <typename F>
    static auto interruptible(int threads, F &&body, ThreadChoice *choice = nullptr) {
        std::optional<nb::python_error> error;
        const int most = most_threads();
        const Control control{std::clamp(threads, -most, most), signal_pending, &error, choice};
        auto result = [&] {
            nb::gil_scoped_release release;
            return body(control);
        }();
        if (error) throw std::move(*error);
        return result;
    }

    Plan plan_;
    int threads_; // of `predict`, at most
    // For each kind of training. Only used with the GIL, which protects the map; a ThreadChoice
    // protects itself.
    mutable std::map<std::pair<const void *, long>, ThreadChoice> thread_choices_;
};

template <typename T> void activation(const Chosen &chosen, Vector<T> A, Vector<T> D) {
    const Choice choice = element_wise(named(chosen));
    require(A.shape(0) == D.shape(0) && A.shape(0) % 16 == 0, "whole vectors of 16 only");
    kernels<T>().activation(choice, A.data(), D.data(), long(A.shape(0)));
}

// The names in one of the core's lists, in order, each with the names of its settings.
template <typename E> nb::dict names_of(const Entries<E> &entries) {
    nb::dict names;
    for (const E &entry : entries) {
        nb::list settings;
        for (int i = 0; i < most_settings && entry.settings[i]; ++i)
            settings.append(entry.settings[i]);
        names[entry.name] = nb::tuple(settings);
    }
    return names;
}

template <typename T> bool finite(In<T> array, int threads) {
    return all_finite(array.data(), long(array.shape(0)), std::clamp(threads, 1, most_threads()));
}

template <typename T> void bind(nb::class_<BoundPlan> &plan, nb::module_ &m) {
    plan.def("train", &BoundPlan::train<T>, "parameters"_a.noconvert(), "slots"_a.noconvert(),
             "examples"_a.noconvert(), "order"_a.noconvert(), "learning_rates"_a.noconvert(),
             "records"_a.noconvert(), "optimizer"_a, "objective"_a, "batch_size"_a, "key"_a,
             "threads"_a, "precision"_a = "full", "shares"_a.noconvert().none() = nb::none(),
             "rule"_a = nb::none(), "ranks"_a.noconvert().none() = nb::none());
    plan.def("loss", &BoundPlan::loss<T>, "parameters"_a.noconvert(), "examples"_a.noconvert(),
             "objective"_a, "gradient"_a.noconvert().none(), "threads"_a, "precision"_a = "full");
    plan.def("forward", &BoundPlan::forward<T>, "parameters"_a.noconvert(), "X"_a.noconvert(),
             "out"_a.noconvert(), "threads"_a, "precision"_a = "full");
    m.def("activation", &activation<T>, "chosen"_a, "A"_a.noconvert(), "D"_a.noconvert());
}

} // namespace

} // namespace chainrule

NB_MODULE(_native, m) {
    using namespace chainrule;
    m.doc() = "The compiled core of chainrule.";
    if (PyArray_ImportNumPyAPI() < 0) throw nb::python_error();

    // Plans stay in a cache until the process ends. Some hosts end without clearing it, which is no
    // reason for leak warnings on a user's standard error.
    nb::set_leak_warnings(false);

    m.def(
        "cpu_info",
        [](std::optional<std::array<std::uint64_t, 6>> words) {
            CpuWords cpu = cpu_words();
            if (words) {
                const auto [xcr0, ecx1, ebx7, edx7, eax7_1, ebx0] = *words;
                cpu = {xcr0,
                       std::uint32_t(ecx1),
                       std::uint32_t(ebx7),
                       std::uint32_t(edx7),
                       std::uint32_t(eax7_1),
                       std::uint32_t(ebx0)};
            }
            const std::vector<std::string> features = cpu_features(cpu);
            nb::dict info;
            info["features"] = features;
            info["instruction_sets"] = runnable(features);
            info["usual"] = usual(cpu);
            info["cores"] = core_count();
            info["precisions"] = precisions();
            return info;
        },
        "words"_a = nb::none(),
        "What this CPU has, which instruction sets can be chosen for it, weakest first, which is "
        "its "
        "usual one, and usable cores. words: XCR0, CPUID's ECX of leaf 1, EBX and EDX of leaf 7, "
        "EAX "
        "of leaf 7.1 and EBX of leaf 0, of another CPU.");
    m.def(
        "instruction_set", [] { return std::string(chosen().name); },
        "The instruction set that the kernels use.");
    m.def("use_instruction_set", &choose, "name"_a,
          "Choose the kernels' instruction set; ValueError if this CPU or build has not got it.");

    m.def("all_finite", &finite<float>, "array"_a.noconvert(), "threads"_a = 1);
    m.def("all_finite", &finite<double>, "array"_a.noconvert(), "threads"_a = 1,
          "Whether no element is NaN or infinite; large arrays are shared by that many threads.");
    m.def(
        "epoch_orders",
        [](std::uint64_t key, std::uint64_t first_epoch, Matrix<std::int32_t> orders) {
            const std::size_t n = orders.shape(1);
            require(n <= 0x7fffffff, "an order holds 32-bit indices");
            for (std::size_t e = 0; e < orders.shape(0); ++e) {
                epoch_order(key, first_epoch + e, std::int32_t(n), orders.data() + e * n);
            }
        },
        "key"_a, "first_epoch"_a, "orders"_a.noconvert(),
        "Fill each row with the order of the examples in one epoch.");
    m.def(
        "shuffled_orders",
        [](nb::capsule generator, In<std::int32_t> before, Matrix<std::int32_t> orders) {
            require(generator.name() && std::strcmp(generator.name(), "BitGenerator") == 0,
                    "expected the capsule of one of NumPy's bit generators");
            auto *bits = static_cast<bitgen_t *>(generator.data());
            const std::size_t n = orders.shape(1);
            require(before.shape(0) == n && n <= 0x7fffffff && all_below(array(before), long(n)),
                    "an order holds indices of its own examples");
            std::vector<std::uint32_t> places(n);
            const std::int32_t *last = before.data();
            for (std::size_t e = 0; e < orders.shape(0); ++e) {
                std::int32_t *row = orders.data() + e * n;
                std::copy(last, last + n, row);
                shuffle_as_numpy(std::int32_t(n), row, places.data(),
                                 [&] { return bits->next_uint32(bits->state); });
                last = row;
            }
        },
        "generator"_a, "before"_a.noconvert(), "orders"_a.noconvert(),
        "Fill each row with the order before it, shuffled as by numpy.random.RandomState.");

    m.def(
        "names",
        [] {
            nb::dict lists;
            lists["layers"] = names_of(generic::tables.layers);
            lists["activations"] = names_of(generic::tables.activations);
            lists["costs"] = names_of(generic::tables.costs);
            lists["optimizers"] = names_of(generic::tables.optimizers);
            return lists;
        },
        "What there is in the core: the names in each of its lists, and their settings' names.");

    nb::class_<BoundPlan> plan(m, "Plan", "A network as the kernels see it.");
    plan.def(nb::init<const std::vector<LayerOf> &, const std::vector<HeadOf> &, bool, int>(),
             "layers"_a, "heads"_a, "fused"_a = true, "threads"_a = 1);
    plan.def("predict", &BoundPlan::predict, "parameters"_a, "X"_a, "precision"_a = "full");
    bind<float>(plan, m);
    bind<double>(plan, m);
}
