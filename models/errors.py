"""Every error wikiq raises on purpose.

WikiqError
├── UsageError                 exit 2: what was asked for cannot be asked
│   ├── UnknownProject
│   ├── BadDate
│   ├── UnknownCategory
│   └── DayOutOfRange
├── SetupError                 exit 1: this machine is not ready
│   ├── DatabaseTooNew
│   ├── DatabaseUnreachable
│   ├── DatabaseFull
│   ├── BrokerUnreachable
│   └── DataDirectoryUnwritable
├── SourceError                an hour file or a dump could not be had
│   ├── FileNotThere           404: the hour is missing, ask again later
│   ├── SourceRefused          exit 4: 403, or no contact for a Wikimedia host
│   ├── SourceUnreachable      exit 4: no answer after every retry
│   ├── NoDumps                the source has no dump runs of the wiki
│   ├── NoSnapshot             it has some, but none that is finished, or not the one that was asked for
│   └── CorruptFile            what arrived is not the file that was announced
│       ├── UncountableFile    it is, but no hour file: fetching it anew would not help
│       └── UnreadableDump     it is, but no SQL dump that can be read: likewise
├── WorkerNotAlive             exit 1: this machine's worker is gone, or stands still
├── WorkerNotReady             exit 1: it lives, but takes no tasks
├── OutputUnwritable           exit 1: the file to write to cannot be written
├── TaskFailed                 exit 1: a task ended with an error that is wikiq's own or the database's
├── SumLawBroken               exit 1: a ranking lost views or counted some twice
└── AnswerUnavailable          exit 1: nothing was counted for what was asked

The docstring of each class is the sentence it prints when raised without arguments.
"""


class WikiqError(Exception):
    """wikiq could not go on."""

    def __str__(self) -> str:
        return super().__str__() or (self.__doc__ or "").strip()


class UsageError(WikiqError):
    """What was asked for cannot be asked."""


class UnknownProject(UsageError):
    """There is no such Wikimedia project."""


class BadDate(UsageError):
    """A day is written YYYY-MM-DD."""


class UnknownCategory(UsageError):
    """The wiki has no such category."""


class DayOutOfRange(UsageError):
    """Hourly pageview files exist from 2015-05-01 until about two hours ago."""


class SetupError(WikiqError):
    """This machine is not ready for wikiq."""


class DatabaseTooNew(SetupError):
    """The database was made by a newer wikiq; upgrade this one."""


class DatabaseUnreachable(SetupError):
    """The database cannot be reached; check WIKIQ_DATABASE_URL."""


class DatabaseFull(SetupError):
    """The database has no room left; free some, then ``wikiq resume``."""


class BrokerUnreachable(SetupError):
    """The broker cannot be reached; check WIKIQ_BROKER_URL."""


class DataDirectoryUnwritable(SetupError):
    """The data directory cannot be written; set WIKIQ_DATA_DIR to one that can."""


class SourceError(WikiqError):
    """The source did not give the file."""


class FileNotThere(SourceError):
    """The source has no such file."""


class SourceRefused(SourceError):
    """The source refuses this client."""


class SourceUnreachable(SourceError):
    """The source does not answer."""


class CorruptFile(SourceError):
    """What arrived is not the file that was announced."""


class UncountableFile(CorruptFile):
    """The file is no hour file."""


class UnreadableDump(CorruptFile):
    """The file is no SQL dump that wikiq can read."""


class NoDumps(SourceError):
    """The source has no dumps of the wiki."""


class NoSnapshot(SourceError):
    """The source has no finished dump run of the wiki."""


class WorkerNotAlive(WikiqError):
    """There is no worker here, or it stands still."""


class WorkerNotReady(WikiqError):
    """The worker takes no tasks yet, or waits for the broker."""


class OutputUnwritable(WikiqError):
    """The output file cannot be written."""


class TaskFailed(WikiqError):
    """A task ended with an unexpected error."""


class SumLawBroken(WikiqError):
    """The views of a ranking do not add up."""


class AnswerUnavailable(WikiqError):
    """Nothing was counted for what was asked."""
