namespace ConstFold

inductive Expr where
  | num : Int → Expr
  | var : String → Expr
  | add : Expr → Expr → Expr
  | mul : Expr → Expr → Expr

def eval (env : String → Int) : Expr → Int
  | .num n => n
  | .var x => env x
  | .add a b => eval env a + eval env b
  | .mul a b => eval env a * eval env b

def mkAdd : Expr → Expr → Expr
  | .num a, .num b => .num (a + b)
  | .num 0, e => e
  | e, .num 0 => e
  | a, b => .add a b

def mkMul : Expr → Expr → Expr
  | .num a, .num b => .num (a * b)
  | .num 0, _ => .num 0
  | .num 1, e => e
  | a, b => .mul a b

def fold : Expr → Expr
  | .num n => .num n
  | .var x => .var x
  | .add a b => mkAdd (fold a) (fold b)
  | .mul a b => mkMul (fold a) (fold b)

theorem eval_mkAdd (env : String → Int) (a b : Expr) :
    eval env (mkAdd a b) = eval env a + eval env b := by
  unfold mkAdd
  split <;> simp [eval]

theorem eval_mkMul (env : String → Int) (a b : Expr) :
    eval env (mkMul a b) = eval env a * eval env b := by
  unfold mkMul
  split <;> simp [eval]

theorem fold_correct (env : String → Int) (e : Expr) : eval env (fold e) = eval env e := by
  induction e with
  | num n => rfl
  | var x => rfl
  | add a b iha ihb => rw [fold, eval_mkAdd, iha, ihb, eval]
  | mul a b iha ihb => rw [fold, eval_mkMul, iha, ihb, eval]

end ConstFold
