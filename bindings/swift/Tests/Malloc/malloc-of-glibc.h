// What Swift does not import of it: how much is in use.
#include <malloc.h>
