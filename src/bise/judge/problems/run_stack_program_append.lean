namespace StackProgram

inductive Instr where
  | push : Int → Instr
  | drop : Instr
  | dup : Instr
  | swap : Instr
  | add : Instr
  | ifZero : List Int → Instr

/-- `ifZero ns` takes a number off the stack and pushes `ns` if it was zero. -/
def step : Instr → List Int → Option (List Int)
  | .push n, st => some (n :: st)
  | .drop, _ :: st => some st
  | .dup, x :: st => some (x :: x :: st)
  | .swap, x :: y :: st => some (y :: x :: st)
  | .add, x :: y :: st => some ((x + y) :: st)
  | .ifZero ns, x :: st => some (if x = 0 then ns ++ st else st)
  | _, _ => none

def run : List Instr → List Int → Option (List Int)
  | [], st => some st
  | i :: is, st => (step i st).bind (run is)

theorem run_append (p q : List Instr) (st : List Int) :
    run (p ++ q) st = (run p st).bind (run q) := sorry

theorem run_frame (p : List Instr) (st st' below : List Int) (h : run p st = some st') :
    run p (st ++ below) = some (st' ++ below) := sorry

end StackProgram
