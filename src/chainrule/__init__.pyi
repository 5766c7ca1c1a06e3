"""The public names, once: for type checkers, and for `__init__.py`, which loads them from here."""

from chainrule import events as events
from chainrule import names as names
from chainrule.engines.optimizers import SGD as SGD
from chainrule.engines.optimizers import Adam as Adam
from chainrule.engines.optimizers import AdamW as AdamW
from chainrule.engines.optimizers import HeavyBall as HeavyBall
from chainrule.engines.optimizers import Lion as Lion
from chainrule.engines.optimizers import Momentum as Momentum
from chainrule.engines.optimizers import NAdam as NAdam
from chainrule.engines.optimizers import Nesterov as Nesterov
from chainrule.engines.optimizers import RMSprop as RMSprop
from chainrule.engines.optimizers import ScheduleFreeAdamW as ScheduleFreeAdamW
from chainrule.engines.schedules import CosineDecay as CosineDecay
from chainrule.engines.schedules import ExponentialDecay as ExponentialDecay
from chainrule.engines.schedules import OneCycle as OneCycle
from chainrule.engines.schedules import TimeDecay as TimeDecay
from chainrule.engines.schedules import Warmup as Warmup
from chainrule.errors import ChainruleError as ChainruleError
from chainrule.errors import CheckpointInUseError as CheckpointInUseError
from chainrule.errors import CheckpointWriteError as CheckpointWriteError
from chainrule.errors import FileWriteError as FileWriteError
from chainrule.errors import InvalidArgumentError as InvalidArgumentError
from chainrule.errors import InvalidCheckpointError as InvalidCheckpointError
from chainrule.errors import InvalidModelFileError as InvalidModelFileError
from chainrule.errors import InvalidTableError as InvalidTableError
from chainrule.errors import TrainingDiagnosisWarning as TrainingDiagnosisWarning
from chainrule.errors import TrainingDivergedError as TrainingDivergedError
from chainrule.estimators.classifier import MLPClassifier as MLPClassifier
from chainrule.estimators.conversion import from_sklearn as from_sklearn
from chainrule.estimators.mixed_network import NetworkMixed as NetworkMixed
from chainrule.estimators.networks import NetworkClassifier as NetworkClassifier
from chainrule.estimators.networks import NetworkRegressor as NetworkRegressor
from chainrule.estimators.regressor import MLPRegressor as MLPRegressor
from chainrule.exports.export_file import export as export
from chainrule.model.network import Network as Network
from chainrule.network.cost import CustomCost as CustomCost
from chainrule.network.layers import BatchNorm as BatchNorm
from chainrule.network.layers import CategoryEmbedding as CategoryEmbedding
from chainrule.network.layers import Dense as Dense
from chainrule.network.layers import Dropout as Dropout
from chainrule.network.layers import ParametricActivation as ParametricActivation
from chainrule.network.layers import Scale as Scale
from chainrule.network.spec import NetworkSpec as NetworkSpec
from chainrule.runs.interface import RunInterrupted as RunInterrupted
from chainrule.runs.interface import train as train
from chainrule.runs.loader import load as load
from chainrule.runs.run import Run as Run
from chainrule.runs.table_model import TableModel as TableModel
from chainrule.tables.encoder import TableEncoder as TableEncoder
from chainrule.training.consumers import CSVLog as CSVLog
from chainrule.training.history import History as History
from chainrule.training.progress import Progress as Progress
from chainrule.training.signals import stop_at_checkpoint as stop_at_checkpoint

__version__: str
__all__: list[str]
