namespace JumpCompiler

inductive Expr where
  | num : Int → Expr
  | var : Nat → Expr
  | add : Expr → Expr → Expr
  | less : Expr → Expr → Expr
  | cond : Expr → Expr → Expr → Expr

/-- `cond` takes its third part if the first is zero. -/
def eval (env : Nat → Int) : Expr → Int
  | .num n => n
  | .var x => env x
  | .add a b => eval env a + eval env b
  | .less a b => if eval env a < eval env b then 1 else 0
  | .cond c a b => if eval env c = 0 then eval env b else eval env a

inductive Instr where
  | push : Int → Instr
  | load : Nat → Instr
  | add : Instr
  | less : Instr
  | jump : Nat → Instr
  | jumpIfZero : Nat → Instr

/-- One step from a place in the code and a stack; jumps skip a number of instructions. -/
def step (env : Nat → Int) (code : List Instr) : Nat × List Int → Option (Nat × List Int)
  | (pc, stack) =>
    match code[pc]?, stack with
    | some (.push n), st => some (pc + 1, n :: st)
    | some (.load x), st => some (pc + 1, env x :: st)
    | some .add, y :: x :: st => some (pc + 1, (x + y) :: st)
    | some .less, y :: x :: st => some (pc + 1, (if x < y then 1 else 0) :: st)
    | some (.jump k), st => some (pc + 1 + k, st)
    | some (.jumpIfZero k), x :: st => some (if x = 0 then pc + 1 + k else pc + 1, st)
    | _, _ => none

inductive Steps (env : Nat → Int) (code : List Instr) :
    Nat × List Int → Nat × List Int → Prop where
  | refl (s) : Steps env code s s
  | step {s t u} : step env code s = some t → Steps env code t u → Steps env code s u

def compile (e : Expr) : List Instr := sorry

theorem compile_correct (env : Nat → Int) (e : Expr) (st : List Int) :
    Steps env (compile e) (0, st) ((compile e).length, eval env e :: st) := sorry

theorem compile_only (env : Nat → Int) (e : Expr) (st : List Int) (s : Nat × List Int)
    (run : Steps env (compile e) (0, st) s) (ends : step env (compile e) s = none) :
    s = ((compile e).length, eval env e :: st) := sorry

end JumpCompiler
