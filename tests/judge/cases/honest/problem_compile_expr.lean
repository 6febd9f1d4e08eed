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

theorem compile_correct (e : Expr) : exec (compile e) [] = some [eval e] := by
  have h : ∀ (e : Expr) (is : List Instr) (st : List Nat),
      exec (compile e ++ is) st = exec is (eval e :: st) := by
    intro e
    induction e with
    | num n => intro is st; rfl
    | add a b ha hb => intro is st; simp [compile, ha, hb, exec, eval]
    | mul a b ha hb => intro is st; simp [compile, ha, hb, exec, eval]
  have := h e [] []
  simpa [exec] using this

end CompileExpr
