namespace CompileExpr

inductive Expr where
  | num : Nat → Expr
  | add : Expr → Expr → Expr
  | mul : Expr → Expr → Expr

def eval : Expr → Nat
  | .num n => n
  | .add a b => eval a + eval b
  | .mul a b => eval a * eval b

inductive Instr where
  | push : Nat → Instr
  | add : Instr
  | mul : Instr

def exec : List Instr → List Nat → Option (List Nat)
  | [], st => some st
  | .push n :: is, st => exec is (n :: st)
  | .add :: is, y :: x :: st => exec is ((x + y) :: st)
  | .mul :: is, y :: x :: st => exec is ((x * y) :: st)
  | _ :: _, _ => none

def compile : Expr → List Instr
  | .num n => [.push n]
  | .add a b => compile a ++ compile b ++ [.add]
  | .mul a b => compile a ++ compile b ++ [.mul]

theorem exec_compile (e : Expr) (k : List Instr) (st : List Nat) :
    exec (compile e ++ k) st = exec k (eval e :: st) := by
  induction e generalizing k st with
  | num n => simp [compile, exec, eval]
  | add a b iha ihb => simp [compile, exec, eval, iha, ihb]
  | mul a b iha ihb => simp [compile, exec, eval, iha, ihb]

theorem compile_correct (e : Expr) : exec (compile e) [] = some [eval e] := by
  have h := exec_compile e [] []
  rwa [List.append_nil, exec] at h

end CompileExpr
