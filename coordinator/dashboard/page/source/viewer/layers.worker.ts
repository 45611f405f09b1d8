/** The room in a thread of its own. */

import { serve, type Door, type FromRoom, type ToRoom } from "./layers_room";

serve(self as unknown as Door<FromRoom, ToRoom>);
