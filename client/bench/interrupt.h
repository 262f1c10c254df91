// SIGINT and SIGTERM end a run early; its report covers what ran.
#pragma once

namespace ringcast::bench {

void catch_interrupts();
bool interrupted();

}  // namespace ringcast::bench
