namespace TypedLambda

inductive Ty where
  | base : Ty
  | arrow : Ty → Ty → Ty

inductive Term where
  | var : Nat → Term
  | app : Term → Term → Term
  | lam : Ty → Term → Term

def lift (ρ : Nat → Nat) : Nat → Nat
  | 0 => 0
  | i + 1 => ρ i + 1

def rename (ρ : Nat → Nat) : Term → Term
  | .var i => .var (ρ i)
  | .app s t => .app (rename ρ s) (rename ρ t)
  | .lam τ t => .lam τ (rename (lift ρ) t)

def up (σ : Nat → Term) : Nat → Term
  | 0 => .var 0
  | i + 1 => rename (· + 1) (σ i)

def subst (σ : Nat → Term) : Term → Term
  | .var i => σ i
  | .app s t => .app (subst σ s) (subst σ t)
  | .lam τ t => .lam τ (subst (up σ) t)

def single (s : Term) : Nat → Term
  | 0 => s
  | i + 1 => .var i

inductive HasType : List Ty → Term → Ty → Prop where
  | var {Γ i τ} : Γ[i]? = some τ → HasType Γ (.var i) τ
  | app {Γ s t σ τ} : HasType Γ s (.arrow σ τ) → HasType Γ t σ → HasType Γ (.app s t) τ
  | lam {Γ σ t τ} : HasType (σ :: Γ) t τ → HasType Γ (.lam σ t) (.arrow σ τ)

inductive Step : Term → Term → Prop where
  | beta (τ t s) : Step (.app (.lam τ t) s) (subst (single s) t)
  | appL {s s' t} : Step s s' → Step (.app s t) (.app s' t)
  | appR {s t t'} : Step t t' → Step (.app s t) (.app s t')
  | lam {τ t t'} : Step t t' → Step (.lam τ t) (.lam τ t')

theorem preservation {Γ : List Ty} {s t : Term} {τ : Ty} (hs : Step s t) (h : HasType Γ s τ) :
    HasType Γ t τ := sorry

theorem progress {t : Term} {τ : Ty} (h : HasType [] t τ) :
    (∃ σ body, t = .lam σ body) ∨ ∃ t', Step t t' := sorry

theorem type_unique {Γ : List Ty} {t : Term} {σ τ : Ty} (h1 : HasType Γ t σ) (h2 : HasType Γ t τ) :
    σ = τ := sorry

end TypedLambda
